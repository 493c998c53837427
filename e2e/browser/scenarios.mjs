// Drives every page in headless Chromium.
// Usage: scenarios.mjs OPTIONS, a JSON object:
// {url, api, key, tls, email, password, accounts: [two names], browser, shots}
// Prints one JSON line per scenario: {name, error, seconds}.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';
import { checkPage } from './accessible.mjs';
import { Client } from './client.mjs';

const options = JSON.parse(process.argv[2]);
const [account] = options.accounts;
const patience = 20_000;

const browser = await chromium.launch({ executablePath: options.browser, args: ['--no-sandbox'] });

// visit is one browser profile with what the server must never make it do noted.
async function visit(settings = {}) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, ...settings });
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  const foreign = [];
  const errors = [];
  const watch = (p) => {
    p.on('request', (r) => { if (!r.isNavigationRequest() && !r.url().startsWith('data:')) foreign.push(r.url()); });
    p.on('console', (m) => { if (m.type() === 'error' && !/status of 4\d\d/.test(m.text())) errors.push(m.text()); });
    p.on('pageerror', (e) => errors.push(String(e)));
  };
  watch(page);
  context.on('page', watch);
  return { context, page, foreign, errors };
}

// heading waits for a page with this h1.
async function heading(page, text) {
  await page.waitForFunction((want) => document.querySelector('h1')?.textContent.includes(want), text)
    .catch(async () => assert.fail(`want the page “${text}”, have “${await page.locator('h1').first().textContent()}” at ${page.url()}`));
}

async function shot(page, name) {
  if (options.shots) await page.screenshot({ path: `${options.shots}/${name}.png`, fullPage: true });
}

async function signIn(page) {
  await heading(page, 'Sign in');
  await page.getByLabel('E-mail').fill(options.email);
  await page.getByLabel('Password').fill(options.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

// toConsent goes from Connect to the consent page.
async function toConsent(page, client, more) {
  await page.goto(client.request(more));
  if (await page.getByLabel('Password').count()) await signIn(page);
  await heading(page, 'Which account');
  await page.getByRole('button', { name: account }).click();
  await heading(page, `use ${account}?`);
}

async function connect(page, client) {
  await toConsent(page, client);
  await page.getByRole('button', { name: 'Allow' }).click();
  await heading(page, 'Back in the app');
  return client.tokens((await client.answer()).get('code'));
}

const scenarios = {
  async 'the landing page shows how to connect'() {
    const { context, page, foreign, errors } = await visit();
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(options.url);
    await heading(page, 'Ask your assistant');
    for (const name of ['Claude', 'Claude Code', 'ChatGPT', 'Cursor', 'VS Code', 'Any other client', 'With an API key', 'On your own machine', 'curl']) {
      const guide = page.locator('details').filter({ has: page.getByRole('heading', { name: new RegExp(`^${name}(?! Code)`) }) }).first();
      if (!(await guide.getAttribute('open') !== null)) await guide.locator('summary').click();
      const text = await guide.locator('pre').first().textContent();
      assert.ok(text.includes(options.url) || text.includes('GROWPANEL_API_URL'), `${name}: ${text}`);
      await guide.getByRole('button', { name: /^Copy/ }).first().click();
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text, name);
    }
    assert.deepEqual([foreign, errors], [[], []]);
    await shot(page, 'landing');
  },

  async 'from Connect to the first answer'() {
    const client = await Client.start(options.url, 'Claude');
    const { page, foreign, errors } = await visit();
    await page.goto(client.request());
    await heading(page, 'Sign in');
    await shot(page, 'sign-in');
    await page.getByLabel('E-mail').fill(options.email);
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').filter({ hasText: 'wrong' }).waitFor();
    await shot(page, 'sign-in-wrong');
    assert.equal(await page.getByLabel('E-mail').inputValue(), options.email);
    await signIn(page);
    await heading(page, 'Which account');
    await shot(page, 'picker');
    await page.getByRole('button', { name: account }).click();
    await heading(page, `Let “Claude” use ${account}?`);
    await page.getByText('program on your own computer').waitFor();
    await shot(page, 'consent');
    await page.getByRole('button', { name: 'Allow' }).click();
    await heading(page, 'Back in the app');
    const answer = await client.answer();
    assert.equal(answer.get('state'), 'the state');
    assert.equal(answer.get('iss'), options.url);
    const tokens = await client.tokens(answer.get('code'));
    const { status, body } = await client.call(tokens.access_token);
    assert.equal(status, 200);
    assert.equal(body.result.tools.length, 14);
    assert.deepEqual([foreign, errors], [[], []]);
    client.stop();
  },

  async 'a stranger signs up on the way from Connect'() {
    const client = await Client.start(options.url, 'Claude');
    const { page, foreign, errors } = await visit();
    await page.goto(client.request());
    await page.getByRole('link', { name: 'Create an account' }).click();
    await heading(page, 'Create an account');
    await page.getByLabel('Account name').fill('Newcomers');
    await page.getByLabel('E-mail').fill(options.email);
    await page.getByLabel('Choose a password').fill('a password of my own');
    await page.getByRole('button', { name: 'Create the account' }).click();
    await page.getByRole('alert').filter({ hasText: 'sign in instead' }).waitFor();
    await shot(page, 'sign-up-taken');
    assert.equal(await page.getByLabel('Account name').inputValue(), 'Newcomers');
    assert.deepEqual(await checkPage(page), []);
    await page.getByLabel('E-mail').fill('stranger@example.com');
    await page.getByLabel('Choose a password').fill('a password of my own');
    await page.keyboard.press('Enter');
    await heading(page, 'Let “Claude” use Newcomers?');
    await page.getByRole('button', { name: 'Allow' }).click();
    await heading(page, 'Back in the app');
    const tokens = await client.tokens((await client.answer()).get('code'));
    assert.equal((await client.call(tokens.access_token)).status, 200);
    assert.deepEqual([foreign, errors], [[], []]);
    client.stop();
  },

  async 'read only is granted as read only'() {
    const client = await Client.start(options.url, 'Claude');
    const { page } = await visit();
    await toConsent(page, client);
    await page.getByRole('radio', { name: /Read only/ }).check();
    await page.getByRole('button', { name: 'Allow' }).click();
    await heading(page, 'Back in the app');
    const tokens = await client.tokens((await client.answer()).get('code'));
    assert.equal(tokens.scope, 'growpanel.read');
    client.stop();
  },

  async 'cookies cannot be read or sent elsewhere'() {
    const { context, page } = await visit();
    await page.goto(`${options.url}/connections`);
    await signIn(page);
    await heading(page, 'Connections');
    const port = new URL(options.url).port;
    const cookies = await context.cookies();
    assert.deepEqual(cookies.map((c) => c.name).sort(), [`gp_browser_${port}`, `gp_session_${port}`]);
    for (const cookie of cookies) {
      assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Lax', '/'], cookie.name);
    }
    assert.equal(await page.evaluate(() => document.cookie), '');
  },

  async 'over https the cookies are bound to the host'() {
    const { context, page } = await visit({ ignoreHTTPSErrors: true });
    await page.goto(`${options.tls}/connections`);
    await signIn(page);
    await heading(page, 'Connections');
    const cookies = await context.cookies();
    assert.deepEqual(cookies.map((c) => c.name).sort(), ['__Host-gp_browser', '__Host-gp_session']);
    for (const cookie of cookies) {
      assert.deepEqual([cookie.secure, cookie.httpOnly, cookie.sameSite, cookie.path], [true, true, 'Lax', '/'], cookie.name);
    }
  },

  async 'no page can be framed'() {
    const { page } = await visit();
    const host = createServer((_, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(['/', '/sign-in', '/connections'].map((path) => `<iframe src="${options.url}${path}"></iframe>`).join(''));
    });
    await new Promise((done) => host.listen(0, '127.0.0.1', done));
    await page.goto(`http://127.0.0.1:${host.address().port}/`);
    await page.waitForLoadState('load');
    const frames = page.frames().slice(1);
    assert.equal(frames.length, 3);
    for (const frame of frames) {
      assert.match(frame.url(), /^chrome-error:/, 'a page is shown in a frame');
    }
    host.close();
  },

  async 'another site cannot send our forms'() {
    const client = await Client.start(options.url, 'Claude');
    const { context, page } = await visit();
    await toConsent(page, client);
    const fields = await page.locator('form[action="/consent"]').evaluate((form) => [...new FormData(form)]);
    const host = createServer((_, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(`<form method="post" action="${options.url}/consent">${[...fields, ['decision', 'allow']]
        .map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`).join('')}</form><script>document.forms[0].submit()</script>`);
    });
    await new Promise((done) => host.listen(0, '127.0.0.1', done));
    // Another port of the same host is same-site: its requests carry the cookies.
    for (const name of ['127.0.0.1', 'localhost']) {
      const other = await context.newPage();
      await other.goto(`http://${name}:${host.address().port}/`);
      await heading(other, 'This form cannot be accepted');
    }
    assert.deepEqual(client.calls, []);
    host.close();
    client.stop();
  },

  async 'a double click allows once'() {
    const client = await Client.start(options.url, 'Claude');
    const { page } = await visit();
    await toConsent(page, client);
    await page.getByRole('button', { name: 'Allow' }).dblclick();
    await heading(page, 'Back in the app');
    const codes = new Set([(await client.answer()).get('code'), ...client.calls.map((u) => u.searchParams.get('code'))]);
    assert.equal(codes.size, 1);
    await client.tokens([...codes][0]);
    client.stop();
  },

  async 'the back button leads nowhere bad'() {
    const client = await Client.start(options.url, 'Claude');
    const { page } = await visit();
    await connect(page, client);
    await page.goBack();
    if (await page.getByRole('button', { name: 'Allow' }).count()) await page.getByRole('button', { name: 'Allow' }).click();
    await heading(page, 'Already connected');
    await shot(page, 'already-connected');
    assert.deepEqual(client.calls, []);
    client.stop();
  },

  async 'two tabs do not disturb each other'() {
    const [one, two] = [await Client.start(options.url, 'First'), await Client.start(options.url, 'Second')];
    const { context, page } = await visit();
    const other = await context.newPage();
    await page.goto(one.request());
    await other.goto(two.request());
    await signIn(page);
    await heading(page, 'Which account');
    await signIn(other);
    await heading(other, 'Which account');
    await page.getByRole('button', { name: options.accounts[0] }).click();
    await heading(page, `Let “First” use ${options.accounts[0]}?`);
    await other.getByRole('button', { name: options.accounts[1] }).click();
    await heading(other, `Let “Second” use ${options.accounts[1]}?`);
    for (const [tab, client] of [[page, one], [other, two]]) {
      await tab.getByRole('button', { name: 'Allow' }).click();
      await heading(tab, 'Back in the app');
      const tokens = await client.tokens((await client.answer()).get('code'));
      assert.equal((await client.call(tokens.access_token)).status, 200);
      client.stop();
    }
  },

  async 'deny tells the app and gives nothing'() {
    const client = await Client.start(options.url, 'Claude');
    const { page } = await visit();
    await toConsent(page, client);
    await page.getByRole('button', { name: 'Deny' }).click();
    await heading(page, 'Back in the app');
    const answer = await client.answer();
    assert.deepEqual([answer.get('error'), answer.get('state'), answer.get('iss'), answer.get('code')], ['access_denied', 'the state', options.url, null]);
    client.stop();
  },

  async 'the keyboard is enough'() {
    const client = await Client.start(options.url, 'Claude');
    const { page } = await visit();
    // press moves on until what has the focus has this name, and wants the focus seen.
    const tabTo = async (name) => {
      for (let i = 0; i < 30; i++) {
        const focus = await page.evaluate(() => {
          const e = document.activeElement;
          const label = e.labels?.[0]?.textContent ?? e.textContent;
          const style = getComputedStyle(e.closest('.choice') ?? e);
          return { name: label.trim(), seen: e === document.body || style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 };
        });
        assert.ok(focus.seen, `the focus on “${focus.name}” cannot be seen`);
        if (focus.name.startsWith(name)) return;
        await page.keyboard.press('Tab');
      }
      assert.fail(`the keyboard does not reach “${name}”`);
    };
    await page.goto(client.request());
    await heading(page, 'Sign in');
    await tabTo('E-mail');
    await page.keyboard.type(options.email);
    await tabTo('Password');
    await page.keyboard.type(options.password);
    await page.keyboard.press('Enter');
    await heading(page, 'Which account');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
    await shot(page, 'skip-link');
    await page.keyboard.press('Enter');
    await tabTo(account.slice(0, 1)); // the tile is part of the button
    await page.keyboard.press('Enter');
    await heading(page, `use ${account}?`);
    await tabTo('Read and make changes');
    await page.keyboard.press('ArrowDown');
    await shot(page, 'consent-keyboard');
    await tabTo('Allow');
    await page.keyboard.press('Enter');
    await heading(page, 'Back in the app');
    assert.equal((await client.tokens((await client.answer()).get('code'))).scope, 'growpanel.read');
    client.stop();
  },

  async 'no page needs script'() {
    const client = await Client.start(options.url, 'Claude');
    const { page } = await visit({ javaScriptEnabled: false });
    await page.goto(options.url);
    await page.locator('summary').nth(1).click();
    await page.getByText('claude mcp add').waitFor();
    assert.equal(await page.getByRole('button', { name: /^Copy/ }).count(), 0);
    await connect(page, client);
    await page.goto(`${options.url}/connections`);
    await page.getByRole('link', { name: /^Revoke/ }).last().click();
    await page.getByRole('button', { name: /^Revoke/ }).click();
    await page.getByRole('status').filter({ hasText: 'key is deleted' }).waitFor();
    client.stop();
  },

  async 'an app is opened by its own scheme'() {
    const client = await Client.start(options.url, 'Cursor', 'cursor://anysphere.cursor-mcp/oauth/callback');
    const { context, page } = await visit();
    const session = await context.newCDPSession(page);
    await session.send('Page.enable');
    const wanted = new Promise((done) => session.on('Page.frameRequestedNavigation', (e) => e.url.startsWith('cursor:') && done(e.url)));
    await toConsent(page, client);
    await page.getByRole('button', { name: 'Allow' }).click();
    await heading(page, 'Connected');
    await shot(page, 'handover');
    const link = await page.getByRole('link', { name: 'Open the app' }).getAttribute('href');
    assert.equal(await wanted, link);
    await client.tokens(new URL(link).searchParams.get('code'));
    client.stop();
  },

  async 'revoking a device ends the next call'() {
    const client = await Client.start(options.url, 'Claude to revoke');
    const { page, foreign, errors } = await visit();
    const [first, second] = [await connect(page, client), await connect(page, client)];
    assert.equal((await client.call(first.access_token)).status, 200);
    await page.goto(`${options.url}/settings/integrations`);
    await heading(page, 'Connections');
    const card = () => page.locator('article').filter({ hasText: 'Claude to revoke' });
    assert.equal(await card().locator('.device').count(), 2);
    await shot(page, 'connections');
    await card().locator('.device').first().getByRole('link', { name: /^Revoke/ }).click();
    await heading(page, 'Revoke “Claude to revoke”?');
    await shot(page, 'revoke');
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('status').filter({ hasText: 'key is deleted' }).waitFor();
    await shot(page, 'revoked');
    const after = await Promise.all([first, second].map(async (t) => (await client.call(t.access_token)).status));
    assert.deepEqual(after.sort(), [200, 401]);
    await card().getByText('Revoked, key deleted').waitFor();

    await page.getByRole('link', { name: 'Revoke all', exact: true }).or(card().getByRole('link', { name: /^Revoke/ })).first().click();
    await page.getByRole('button', { name: /^Revoke/ }).click();
    await heading(page, 'Connections');
    const left = await Promise.all([first, second].map(async (t) => (await client.call(t.access_token)).status));
    assert.deepEqual(left, [401, 401]);
    assert.deepEqual([foreign, errors], [[], []]);
    client.stop();
  },

  async 'a provider is enough once it is linked'() {
    const button = (page) => page.getByRole('button', { name: 'Continue with Acme SSO' });
    const first = await visit();
    await first.page.goto(`${options.url}/connections`);
    await heading(first.page, 'Sign in to GrowPanel');
    await shot(first.page, 'sign-in-provider');
    await button(first.page).click(); // to another site and back
    await heading(first.page, 'Sign in once with your password');
    await shot(first.page, 'link');
    await signIn(first.page);
    await heading(first.page, 'Connections');
    const second = await visit();
    await second.page.goto(`${options.url}/connections`);
    await button(second.page).click();
    await heading(second.page, 'Connections');
    assert.deepEqual([first.errors, second.errors], [[], []]);
  },

  async 'what a connection created goes with it, unless it is to stay'() {
    const client = await Client.start(options.url, 'Claude that creates');
    const { page } = await visit();
    const tokens = await connect(page, client);
    for (const name of ['Stays behind', 'Goes along']) {
      const made = await client.call(tokens.access_token, 'tools/call', { name: 'manage_api_keys', arguments: { action: 'create', body: { name, role: 'readonly' } } });
      assert.ok(made.status === 200 && !made.body.result.isError, JSON.stringify(made));
    }
    const revoke = async () => {
      await page.goto(`${options.url}/connections`);
      await page.locator('article').filter({ hasText: 'Claude that creates' }).getByRole('link', { name: /^Revoke/ }).first().click();
      await heading(page, 'Revoke “Claude that creates”?');
    };
    await revoke();
    await page.getByRole('checkbox', { name: 'Stays behind' }).uncheck();
    assert.ok(await page.getByRole('checkbox', { name: 'Goes along' }).isChecked());
    await shot(page, 'revoke-created');
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('status').filter({ hasText: 'key is deleted' }).waitFor();
    const keys = await fetch(`${options.api}/account/api-keys`, { headers: { Authorization: `Bearer ${options.key}` } });
    const names = (await keys.json()).result.list.map((k) => k.name);
    assert.ok(names.includes('Stays behind') && !names.includes('Goes along'), names.join(', '));
    client.stop();
  },

  async 'the invited join by their link'() {
    const invited = await fetch(`${options.api}/account/team/invite`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${options.key}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: 'new@example.com', role: 'readonly' }),
    });
    const { link } = await invited.json();
    assert.ok(link?.startsWith(`${options.url}/invitation`), link);
    const { page, errors } = await visit();
    await page.goto(link);
    await heading(page, `Join ${account}`);
    await shot(page, 'invitation');
    assert.deepEqual(await checkPage(page), []);
    await page.getByLabel('First name').fill('New');
    await page.getByLabel('Choose a password').fill('a password of my own');
    await page.getByRole('button', { name: 'Join' }).click();
    await heading(page, 'Welcome to GrowPanel');
    await page.getByText('new@example.com').waitFor();
    await shot(page, 'joined');
    await page.goto(link);
    await heading(page, 'This invitation is over');
    assert.deepEqual(errors, []);
  },

  async 'signing out ends the session'() {
    const { page } = await visit();
    await page.goto(`${options.url}/connections`);
    await signIn(page);
    await heading(page, 'Connections');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await heading(page, 'You are signed out');
    await page.goBack();
    await page.reload();
    await heading(page, 'Sign in');
  },

  async 'requests that prove nothing lead nowhere'() {
    const client = await Client.start(options.url, 'Claude');
    const { page } = await visit();
    for (const [more, want] of [
      [{ client_id: 'unknown' }, 'GrowPanel does not know this app'],
      [{ redirect_uri: 'https://evil.example/cb' }, 'This link does not lead back'],
      [{ redirect_uri: 'javascript:alert(1)' }, 'This link does not lead back'],
      [{ response_type: 'token' }, 'This request cannot be answered'],
    ]) {
      await page.goto(client.request(more));
      await heading(page, want);
      assert.equal(new URL(page.url()).origin, options.url);
    }
    await shot(page, 'refused');
    await page.goto(`${options.url}/consent?tx=gone`);
    await heading(page, 'This request has expired');
    assert.deepEqual(client.calls, []);
    client.stop();
  },
};

// Every page, on a phone and on a desk, in light and in dark.
for (const [width, scheme] of [[360, 'light'], [360, 'dark'], [1280, 'light'], [1280, 'dark']]) {
  scenarios[`every page is readable: ${width} pixels, ${scheme}`] = async () => {
    const client = await Client.start(options.url, 'Claude with a name that goes on and on until it has to wrap');
    const { page } = await visit({ viewport: { width, height: 740 }, colorScheme: scheme });
    const check = async (name) => {
      await shot(page, `${name}-${width}-${scheme}`);
      assert.deepEqual(await checkPage(page), [], name);
    };
    await page.goto(options.url);
    await page.evaluate(() => { for (const d of document.querySelectorAll('details')) { d.removeAttribute('name'); d.open = true; } });
    await check('landing');
    await page.goto(client.request({ response_type: 'token' }));
    await check('refused');
    await page.goto(client.request());
    await check('sign-in');
    await page.getByRole('link', { name: 'Create an account' }).click();
    await heading(page, 'Create an account');
    await check('sign-up');
    await page.getByRole('link', { name: 'Sign in' }).click();
    await signIn(page);
    await heading(page, 'Which account');
    await check('picker');
    await page.getByRole('button', { name: account }).click();
    await heading(page, 'use');
    await check('consent');
    await page.getByRole('button', { name: 'Allow' }).click();
    await heading(page, 'Back in the app');
    await client.tokens((await client.answer()).get('code'));
    await page.goto(`${options.url}/connections`);
    await check('connections');
    await page.getByRole('link', { name: /^Revoke/ }).last().click();
    await check('revoke');
    await page.goto(`${options.url}/password`);
    await check('password');
    client.stop();
  };
}

for (const [name, run] of Object.entries(scenarios)) {
  if (options.only && !name.includes(options.only)) continue;
  const start = Date.now();
  let error = '';
  try {
    await run();
  } catch (e) {
    error = String(e.stack ?? e);
  }
  console.log(JSON.stringify({ name, error, seconds: (Date.now() - start) / 1000 }));
  for (const context of browser.contexts()) await context.close();
}
await browser.close();
process.exit(0); // clients of failed scenarios still listen
