// Lists the tools and calls one with @modelcontextprotocol/sdk 1.x.
// Usage: sdk1.mjs OPTIONS, a JSON object: {url, token} or {command, args, env}, and {tool, arguments}.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const options = JSON.parse(process.argv[2]);
const transport = options.url
  ? new StreamableHTTPClientTransport(new URL(options.url), {
      requestInit: { headers: { Authorization: `Bearer ${options.token}` } },
    })
  : new StdioClientTransport({ command: options.command, args: options.args, env: options.env });

const client = new Client({ name: 'e2e', version: '1.0.0' });
await client.connect(transport);
const { tools } = await client.listTools();
const result = await client.callTool({ name: options.tool, arguments: options.arguments });
console.log(JSON.stringify({
  server: client.getServerVersion().name,
  version: transport.protocolVersion ?? null,
  tools: tools.map((tool) => tool.name),
  result,
}));
await client.close();
