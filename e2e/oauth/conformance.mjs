// Runs the conformance suite against the authorization server: it prints the URL
// to open and waits for its callback. OPTIONS: also {node, suite, port, out}.
import { spawn } from 'node:child_process';
import { Person } from './person.mjs';

const options = JSON.parse(process.argv[2]);
const origin = new URL(options.url).origin;
const redirect = `http://127.0.0.1:${options.port}/callback`;
const registered = await fetch(`${origin}/register`, {
  method: 'POST', headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ client_name: 'Conformance', redirect_uris: [redirect], token_endpoint_auth_method: 'none' }),
});
const { client_id: client } = await registered.json();
const child = spawn(options.node, [
  options.suite, 'authorization', '--url', origin, '--client-id', client, '-p', String(options.port), '--resource', options.url, '-o', options.out,
], { stdio: ['ignore', 'pipe', 'pipe'] });
let said = '';
let allowed = false;
const hear = async (chunk) => {
  said += chunk;
  const match = said.match(/https?:\/\/\S+\/authorize\?\S+/);
  if (!match || allowed || !said.includes('Callback server started')) return;
  allowed = true;
  try {
    await fetch(await new Person(options).allow(match[0]));
  } catch (error) {
    console.error(error);
    child.kill();
  }
};
child.stdout.on('data', hear);
child.stderr.on('data', hear);
const code = await new Promise((done) => child.on('close', done));
if (code !== 0) throw new Error(`the suite ended with ${code}:\n${said}`);
console.log(JSON.stringify({ asked: allowed, said }));
