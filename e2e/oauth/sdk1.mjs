// Connects with @modelcontextprotocol/sdk 1.x: registers, lets a person allow
// it, lists the tools, refreshes, and finds out that it was revoked.
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { connect } from './connect.mjs';

await connect({
  Client,
  transport: (url, authProvider) => new StreamableHTTPClientTransport(url, { authProvider }),
  unauthorized: (error) => error instanceof UnauthorizedError,
  finish: (transport, callback) => transport.finishAuth(callback.searchParams.get('code')),
});
