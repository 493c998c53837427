// Lists the tools and calls one with @modelcontextprotocol/client 2.x.
// Usage: sdk2.mjs OPTIONS, a JSON object: {url, token} or {command, args, env}, {mode: auto, legacy or pin},
// and {tool, arguments}.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const options = JSON.parse(process.argv[2]);
const transport = options.url
  ? new StreamableHTTPClientTransport(new URL(options.url), {
      requestInit: { headers: { Authorization: `Bearer ${options.token}` } },
    })
  : new StdioClientTransport({ command: options.command, args: options.args, env: options.env });

const mode = options.mode === 'pin' ? { pin: '2026-07-28' } : options.mode;
const client = new Client({ name: 'e2e', version: '1.0.0' }, { versionNegotiation: { mode } });
await client.connect(transport);
const { tools } = await client.listTools();
const result = await client.callTool({ name: options.tool, arguments: options.arguments });
console.log(JSON.stringify({
  server: client.getServerVersion()?.name ?? null,
  version: client.getNegotiatedProtocolVersion?.() ?? null,
  tools: tools.map((tool) => tool.name),
  result,
}));
await client.close();
