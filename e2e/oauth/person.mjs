// A person without a browser: signs in, picks an account, and clicks Allow, by
// filling in the forms of the pages.

const unescape = (text) => text.replaceAll('&#43;', '+').replaceAll('&#34;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

function attribute(tag, name) {
  const match = tag.match(new RegExp(`\\s${name}="([^"]*)"`));
  return match ? unescape(match[1]) : null;
}

// forms reads the forms of a page.
function forms(html) {
  return [...html.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)].map(([, tag, inner]) => ({
    action: attribute(tag, 'action'),
    inputs: [...inner.matchAll(/<input([^>]*)>/g)].map(([, input]) => ({
      name: attribute(input, 'name'), value: attribute(input, 'value') ?? '', type: attribute(input, 'type'), checked: / checked/.test(input),
    })),
    buttons: [...inner.matchAll(/<button([^>]*)>([\s\S]*?)<\/button>/g)].map(([, button, label]) => ({
      name: attribute(button, 'name'), value: attribute(button, 'value'), label: unescape(label.replace(/<[^>]*>/g, ' ')),
    })),
  }));
}

export class Person {
  constructor({ email, password, account, access }) {
    Object.assign(this, { email, password, account, access });
    this.cookies = new Map();
  }

  async #send(url, init = {}) {
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: {
        Accept: 'text/html', Cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        'Sec-Fetch-Site': 'same-origin', Origin: new URL(url).origin, ...init.headers,
      },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair] = cookie.split(';');
      const at = pair.indexOf('=');
      this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }

  // allow answers the pages from an authorization URL on, and returns the URL
  // that the browser is sent to in the end.
  async allow(url) {
    const origin = new URL(url).origin;
    let response = await this.#send(url);
    for (let step = 0; step < 12; step++) {
      const location = response.headers.get('Location');
      if (location) {
        const next = new URL(location, url);
        if (next.origin !== origin || next.searchParams.has('code') || next.searchParams.has('error')) return next;
        url = next.href;
        response = await this.#send(url);
        continue;
      }
      const html = await response.text();
      if (response.status !== 200) throw new Error(`${url}: ${response.status} ${html.slice(0, 2000)}`);
      const [action, body] = this.#answer(html);
      url = new URL(action, url).href;
      response = await this.#send(url, { method: 'POST', body });
    }
    throw new Error(`the pages do not end: ${url}`);
  }

  // answer fills in the form of a page.
  #answer(html) {
    for (const form of forms(html)) {
      const body = new URLSearchParams();
      for (const input of form.inputs) {
        if (input.type === 'radio' ? input.checked && !this.access : input.name) body.append(input.name, input.value);
      }
      if (form.inputs.some((input) => input.type === 'password')) {
        body.set('email', this.email);
        body.set('password', this.password);
        return [form.action, body];
      }
      const account = form.buttons.find((button) => button.name === 'account' && button.label.includes(this.account));
      const allow = form.buttons.find((button) => button.name === 'decision' && button.value === 'allow');
      if (account || allow) {
        const button = account ?? allow;
        body.append(button.name, button.value);
        if (allow && this.access) body.set('access', this.access);
        return [form.action, body];
      }
    }
    throw new Error(`a page that nobody can answer: ${html.slice(0, 3000)}`);
  }
}
