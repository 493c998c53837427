// The same with @modelcontextprotocol/client 2.x, which checks the issuer that
// comes back, and can present itself by a metadata document.
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { connect } from './connect.mjs';

await connect({
  Client,
  transport: (url, authProvider) => new StreamableHTTPClientTransport(url, { authProvider }),
  unauthorized: (error) => error instanceof UnauthorizedError || error?.name === 'UnauthorizedError',
  finish: (transport, callback) => transport.finishAuth(callback.searchParams),
});
