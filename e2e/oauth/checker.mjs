// oauth4webapi checks every answer against the RFCs: discovery, registration,
// code, twenty refreshes at once, revocation, introspection if there is any. With
// the option keep it prints the tokens instead of using them up.
import * as oauth from 'oauth4webapi';
import { Person } from './person.mjs';

const options = JSON.parse(process.argv[2]);
const resource = new URL(options.url);
const insecure = { [oauth.allowInsecureRequests]: true };

// call returns an answer that was read to its end: others keep the process alive.
const call = async (token) => {
  const answer = await fetch(resource, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  });
  await answer.arrayBuffer();
  return answer;
};

const challenge = await call();
if (challenge.status !== 401 || !challenge.headers.get('WWW-Authenticate')) throw new Error(`without a token: ${challenge.status}`);
const protectedResource = await oauth.processResourceDiscoveryResponse(resource, await oauth.resourceDiscoveryRequest(resource, insecure));
const issuer = new URL(protectedResource.authorization_servers[0]);
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }));

const redirect = 'http://127.0.0.1:33418/callback';
const client = await oauth.processDynamicClientRegistrationResponse(await oauth.dynamicClientRegistrationRequest(
  as, { client_name: 'Checker', redirect_uris: [redirect], token_endpoint_auth_method: 'none' }, insecure));

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const authorize = new URL(as.authorization_endpoint);
authorize.search = new URLSearchParams({
  client_id: client.client_id, redirect_uri: redirect, response_type: 'code', state, scope: 'growpanel.read growpanel.write offline_access',
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', resource: options.url,
}).toString();
const callback = await new Person(options).allow(authorize.href);
const parameters = oauth.validateAuthResponse(as, client, callback, state);
const granted = await oauth.processAuthorizationCodeResponse(as, client, await oauth.authorizationCodeGrantRequest(
  as, client, oauth.None(), parameters, redirect, verifier, { additionalParameters: { resource: options.url }, ...insecure }));
if ((await call(granted.access_token)).status !== 200) throw new Error('the token is not good');

if (options.keep) {
  console.log(JSON.stringify({ client: client.client_id, access_token: granted.access_token, refresh_token: granted.refresh_token }));
  process.exit();
}

const refresh = async (token) => oauth.processRefreshTokenResponse(as, client,
  await oauth.refreshTokenGrantRequest(as, client, oauth.None(), token, insecure));
const all = await Promise.all(Array.from({ length: 20 }, () => refresh(granted.refresh_token)));
if (new Set(all.map((tokens) => tokens.refresh_token)).size !== 1) throw new Error('twenty refreshes at once gave several refresh tokens');
for (const tokens of all) {
  if ((await call(tokens.access_token)).status !== 200) throw new Error('a refreshed token is not good');
}

await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, oauth.None(), all[0].refresh_token, insecure));
const statuses = await Promise.all(all.map(async (tokens) => (await call(tokens.access_token)).status));
if (statuses.some((status) => status !== 401)) throw new Error(`after the revocation: ${statuses}`);
const dead = await fetch(as.token_endpoint, {
  method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: all[0].refresh_token, client_id: client.client_id }),
});
const { error } = await dead.json();
if (dead.status !== 400 || error !== 'invalid_grant') throw new Error(`a dead refresh token: ${dead.status} ${error}`);
console.log(JSON.stringify({ scope: granted.scope, expires_in: granted.expires_in, resource: protectedResource.resource }));
