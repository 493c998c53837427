// Runs mcp-remote's own client: it prints the URL to open, waits for its
// callback and then lists the tools. OPTIONS: also {script, config}.
import { spawn } from 'node:child_process';
import { Person } from './person.mjs';

const options = JSON.parse(process.argv[2]);
const child = spawn(process.execPath, [options.script, options.url, '--allow-http'], {
  env: { ...process.env, MCP_REMOTE_CONFIG_DIR: options.config, BROWSER: 'true', DISPLAY: '' },
  stdio: ['pipe', 'pipe', 'pipe'], // it shuts down when its input ends
});
let said = '';
let allowed = false;
const hear = async (chunk) => {
  said += chunk;
  if (said.includes('get_report')) child.stdin.end(); // it has listed the tools; old versions then wait for more
  const match = said.match(/https?:\/\/\S+\/authorize\?\S+/);
  if (!match || allowed) return;
  allowed = true;
  try {
    const callback = await new Person(options).allow(match[0]);
    for (let tries = 0; ; tries++) {
      try {
        await fetch(callback);
        return;
      } catch (error) { // its server is not listening yet
        if (tries > 50) throw error;
        await new Promise((done) => setTimeout(done, 100));
      }
    }
  } catch (error) {
    console.error(error);
    child.kill();
  }
};
child.stdout.on('data', hear);
child.stderr.on('data', hear);
const [code] = await new Promise((done) => child.on('close', (...how) => done(how)));
if (code !== 0 && !said.includes('get_report')) throw new Error(`mcp-remote ended with ${code}:\n${said}`);
console.log(JSON.stringify({ asked: allowed, said }));
