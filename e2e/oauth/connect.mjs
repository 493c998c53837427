// What the scripts for the SDKs share.
// OPTIONS: {url, email, password, account, access, metadata}.
import { randomUUID } from 'node:crypto';
import { Person } from './person.mjs';

export async function connect({ Client, transport, unauthorized, finish }) {
  const options = JSON.parse(process.argv[2]);
  const url = new URL(options.url);
  const kept = {};
  const provider = {
    redirectUrl: 'http://127.0.0.1:33418/callback',
    clientMetadata: { client_name: 'End to end', redirect_uris: ['http://127.0.0.1:33418/callback'], token_endpoint_auth_method: 'none' },
    clientMetadataUrl: options.metadata,
    state: () => (kept.state = randomUUID()),
    clientInformation: () => kept.client,
    saveClientInformation: (client) => { kept.client = client; },
    tokens: () => kept.tokens,
    saveTokens: (tokens) => { kept.tokens = tokens; },
    codeVerifier: () => kept.verifier,
    saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
    discoveryState: () => kept.discovery,
    saveDiscoveryState: (state) => { kept.discovery = state; },
    invalidateCredentials: (what) => {
      if (what === 'all' || what === 'tokens') kept.tokens = undefined;
      if (what === 'all' || what === 'client') kept.client = undefined;
    },
    redirectToAuthorization: (at) => { kept.authorize = at; },
  };
  const session = async () => {
    const client = new Client({ name: 'e2e', version: '1.0.0' });
    const over = transport(url, provider);
    await client.connect(over);
    const { tools } = await client.listTools();
    const result = await client.callTool({ name: 'manage_account', arguments: { action: 'get' } });
    await client.close();
    return { tools: tools.map((tool) => tool.name), account: result.structuredContent };
  };
  const refused = async () => {
    try {
      await session();
      return false;
    } catch (error) {
      if (unauthorized(error)) return true;
      throw error;
    }
  };

  if (!(await refused())) throw new Error('connected without a token');
  const callback = await new Person(options).allow(kept.authorize.href);
  if (callback.searchParams.get('state') !== kept.state) throw new Error(`the state came back as ${callback.search}`);
  await finish(transport(url, provider), callback);
  const first = await session();
  const before = kept.tokens;
  kept.tokens = { ...before, access_token: 'expired' };
  await session(); // refreshes
  if (!kept.tokens.refresh_token || kept.tokens.refresh_token === before.refresh_token) throw new Error('the refresh token was not rotated');

  const revoked = await fetch(new URL('/revoke', url), {
    method: 'POST', body: new URLSearchParams({ token: kept.tokens.refresh_token, client_id: kept.client?.client_id ?? options.metadata }),
  });
  if (revoked.status !== 200) throw new Error(`revoke: ${revoked.status}`);
  const client = kept.client?.client_id ?? null;
  kept.authorize = undefined;
  if (!(await refused()) || !kept.authorize) throw new Error('a revoked connection still works');
  console.log(JSON.stringify({ ...first, client, scope: before.scope, authorize: kept.authorize.href }));
}
