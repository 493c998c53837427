// An OAuth client for the browser tests: it registers itself, waits for its
// redirect, exchanges codes and calls the MCP server.
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

export class Client {
  // start registers a client whose redirect URI is a server of its own, or the
  // given one.
  static async start(url, name, redirect) {
    const client = new Client();
    client.url = url;
    client.calls = []; // what came back: URLs
    client.verifier = randomBytes(32).toString('base64url');
    client.server = createServer((request, response) => {
      const call = new URL(request.url, client.redirect);
      if (call.pathname === '/callback') { // rather than the icon that browsers ask for
        client.calls.push(call);
        client.arrived?.();
      }
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end('<!doctype html><title>App</title><h1>Back in the app</h1>');
    });
    await new Promise((done) => client.server.listen(0, '127.0.0.1', done));
    client.redirect = redirect ?? `http://127.0.0.1:${client.server.address().port}/callback`;
    const answer = await fetch(`${url}/register`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ client_name: name, redirect_uris: [client.redirect], token_endpoint_auth_method: 'none' }),
    });
    if (answer.status !== 201) throw new Error(`register: ${answer.status} ${await answer.text()}`);
    client.id = (await answer.json()).client_id;
    return client;
  }

  // request is the URL that Connect opens.
  request(more = {}) {
    const query = new URLSearchParams({
      response_type: 'code', client_id: this.id, redirect_uri: this.redirect, state: 'the state', scope: 'growpanel.read growpanel.write',
      code_challenge: createHash('sha256').update(this.verifier).digest('base64url'), code_challenge_method: 'S256', resource: `${this.url}/mcp`,
      ...more,
    });
    return `${this.url}/authorize?${query}`;
  }

  // answer waits for the next redirect and returns its parameters.
  async answer() {
    if (!this.calls.length) await new Promise((done) => { this.arrived = done; });
    return this.calls.shift().searchParams;
  }

  // tokens exchanges a code.
  async tokens(code) {
    const answer = await fetch(`${this.url}/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'authorization_code', code, client_id: this.id, redirect_uri: this.redirect, code_verifier: this.verifier }),
    });
    const body = await answer.json();
    if (answer.status !== 200) throw new Error(`token: ${answer.status} ${JSON.stringify(body)}`);
    return body;
  }

  // call asks the MCP server for a method and returns the status and the answer.
  async call(token, method = 'tools/list', params = {}) {
    const answer = await fetch(`${this.url}/mcp`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    const text = await answer.text();
    return { status: answer.status, body: answer.status === 200 ? JSON.parse(text.replace(/^(event:.*\n)?data: /, '')) : text };
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
