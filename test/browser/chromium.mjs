// A headless Chromium, driven by its DevTools protocol over a pipe: JSON messages that end with
// NUL, on descriptors 3 and 4. No port, no WebSocket, no package.
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../scripts/steps.mjs';
import { installed } from '../support/installed.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const ANSWER_MS_MAX = 20_000;
const EXIT_MS_MAX = 5_000;

const FLAGS = [
  '--headless=new',
  '--no-sandbox', // it does not start as root with one; the pages are our own
  '--remote-debugging-pipe',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
  '--no-default-browser-check',
  '--ignore-certificate-errors', // those of our own are signed by themselves
  '--autoplay-policy=no-user-gesture-required',
];

/** { path }, or { reason } why there is none. Installed where that may be done. */
export const findChromium = () =>
  installed(() => process.env.RINGPOLL_CHROMIUM ?? findProgram(...NAMES), ['chromium'], {
    what: 'Chromium',
    how: 'install it, or name its program in RINGPOLL_CHROMIUM',
  });

export class Chromium {
  #child;
  #profile;
  #answers = new Map();
  #pages = new Map();
  #lastId = 0;
  /** The beginning of a message whose end is still to come. */
  #rest = [];
  #exited;

  constructor(path) {
    this.#profile = mkdtempSync(join(tmpdir(), 'ringpoll-chromium-'));
    const args = [...FLAGS, `--user-data-dir=${this.#profile}`, 'about:blank'];
    const stdio = ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'];
    this.#child = spawn(path, args, { stdio, detached: true });
    this.#exited = once(this.#child, 'exit').then(() => this.#failAll(new Error('Chromium ended')));
    this.#exited.catch((error) => this.#failAll(error)); // it could not be started
    this.#child.stdio[3].on('error', () => {}); // it has ended, which is told above
    this.#child.stdio[4].setEncoding('utf8').on('data', (text) => this.#received(text));
  }

  #received(text) {
    if (!text.includes('\0')) {
      this.#rest.push(text);
      return;
    }
    const messages = text.split('\0');
    this.#rest.push(messages[0]);
    messages[0] = this.#rest.join('');
    this.#rest = [messages.pop()];
    for (const message of messages) this.#message(JSON.parse(message));
  }

  #message({ id, result, error, method, params, sessionId }) {
    if (id === undefined) {
      this.#pages.get(sessionId)?.emit(method, params);
      return;
    }
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (error === undefined) answer?.resolve(result);
    else answer?.reject(new Error(error.message));
  }

  #failAll(error) {
    for (const { reject } of this.#answers.values()) reject(error);
    this.#answers.clear();
  }

  send(method, params = {}, sessionId = undefined) {
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
    this.#child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return bounded(answer, method);
  }

  /** An empty page, with a cache of its own. */
  async newPage() {
    const { browserContextId } = await this.send('Target.createBrowserContext');
    const blank = { url: 'about:blank', browserContextId };
    const { targetId } = await this.send('Target.createTarget', blank);
    const attach = { targetId, flatten: true };
    const { sessionId } = await this.send('Target.attachToTarget', attach);
    const page = new Page((method, params) => this.send(method, params, sessionId));
    this.#pages.set(sessionId, page);
    for (const domain of ['Page', 'Runtime', 'Log']) await page.send(`${domain}.enable`);
    // What is uploaded does not come here.
    await page.send('Network.enable', { maxPostDataSize: 0 });
    return page;
  }

  async close() {
    this.send('Browser.close').catch(() => {});
    const killer = setTimeout(() => process.kill(-this.#child.pid, 'SIGKILL'), EXIT_MS_MAX);
    await this.#exited.catch(() => {});
    clearTimeout(killer);
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

export class Page extends EventEmitter {
  /** What the console and the network complained about. */
  complaints = [];
  /** Every URL that was asked for. */
  requested = [];
  #urls = new Map();
  #statuses = new Map();

  constructor(send) {
    super();
    this.send = send;
    this.on('Runtime.exceptionThrown', ({ exceptionDetails: { text, exception } }) => {
      this.complaints.push(`${text} ${exception?.description ?? ''}`);
    });
    this.on('Runtime.consoleAPICalled', ({ type, args }) => {
      if (type === 'error') this.complaints.push(args.map(({ value }) => value).join(' '));
    });
    this.on('Log.entryAdded', ({ entry: { level, text, url = '' } }) => {
      if (level === 'error') this.complaints.push(`${text} ${url}`);
    });
    this.on('Network.requestWillBeSent', ({ requestId, request: { url } }) => {
      this.#urls.set(requestId, url);
      this.requested.push(url);
    });
    this.on('Network.responseReceivedExtraInfo', ({ requestId, statusCode }) => {
      this.#statuses.set(requestId, statusCode);
    });
  }

  /** The newest status of a URL, as it came over the wire: 304 where the cache had the rest. */
  async statusOf(url) {
    for (;;) {
      const byId = [...this.#statuses].map(([id, status]) => [this.#urls.get(id), status]);
      const status = new Map(byId).get(url);
      if (status !== undefined) return status;
      // The page may know the answer before we are told how it came.
      await bounded(once(this, 'Network.responseReceivedExtraInfo'), `the status of ${url}`);
    }
  }

  /** Resolves when the page and all that it names are there. */
  async open(url) {
    const loaded = bounded(once(this, 'Page.loadEventFired'), `the load of ${url}`);
    const { errorText } = await this.send('Page.navigate', { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await loaded;
  }

  async reload() {
    this.#statuses.clear();
    const loaded = bounded(once(this, 'Page.loadEventFired'), 'the reload');
    await this.send('Page.reload');
    await loaded;
  }

  /** What a function gives that runs in the page; it sees nothing but its argument, as JSON. */
  async evaluate(work, argument = null) {
    const expression = `(${work})(${JSON.stringify(argument)})`;
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails: failure } = await this.send('Runtime.evaluate', options);
    if (failure) throw new Error(failure.exception?.description ?? failure.text);
    return result.value;
  }
}

function bounded(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    const tell = () => reject(new Error(`${what}: nothing within ${ANSWER_MS_MAX / 1000} s`));
    timer = setTimeout(tell, ANSWER_MS_MAX);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
