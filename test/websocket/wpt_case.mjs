// Runs one of the web platform's tests in this process: node wpt_case.mjs ROOT FILE PORT. ROOT has
// `websockets` and `resources`. Prints one JSON line:
// { harness, tests: [{ name, status, message }] }.
// WPT_PEER=undici tries the WebSocket that Node itself has, to compare.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runInThisContext } from 'node:vm';

const [root, file, port] = process.argv.slice(2);
const STATUSES = ['pass', 'fail', 'timeout', 'not run', 'precondition'];

if (process.env.WPT_PEER !== 'undici') {
  const { WebSocket, CloseEvent } = await import('ringpoll/websocket');
  Object.assign(globalThis, { WebSocket, CloseEvent });
}
globalThis.self = globalThis;
globalThis.location = new URL(`http://127.0.0.1:${port}/websockets/${file}?default`);
globalThis.GLOBAL = { isWindow: () => false, isWorker: () => false, isShadowRealm: () => false };

const ports = {
  'ports[ws][0]': port,
  'ports[wss][0]': port,
  'ports[h2][0]': port,
  host: '127.0.0.1',
};

function load(path) {
  const text = readFileSync(path, 'utf8');
  if (!path.includes('.sub.')) return text;
  return text.replace(/\{\{([^}]+)\}\}/g, (whole, name) => ports[name] ?? whole);
}

function run(path) {
  runInThisContext(load(path), { filename: path });
}

/** Where a script lies that a test names. */
function found(name) {
  const path = name.startsWith('/')
    ? join(root, name)
    : join(root, 'websockets', dirname(file), name);
  return path.split('?')[0];
}

/** The scripts of a test, in their order: paths, or { text } of those within a page. */
function scriptsOf(path) {
  const text = readFileSync(path, 'utf8');
  if (path.endsWith('.js')) {
    const named = [...text.matchAll(/^\/\/ META: script=(\S+)/gm)].map(([, name]) => found(name));
    return [...named, path];
  }
  const scripts = [];
  for (const [, attributes, body] of text.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)) {
    const [, name] = /src=["']?([^"'\s>]+)/.exec(attributes) ?? [];
    if (name === undefined) scripts.push({ text: body });
    else if (!name.includes('testharness')) scripts.push(found(name));
  }
  return scripts;
}

const harness = join(root, 'resources', 'testharness.js');
run(harness);
// Only now: with these the harness would want a document.
globalThis.window = globalThis;

let said = false;
function say(outcome) {
  if (said) return;
  said = true;
  process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit(0));
}

globalThis.setup({ explicit_timeout: true });
globalThis.add_completion_callback((tests, status) => {
  say({
    harness: { status: status.status, message: status.message ?? '' },
    tests: tests.map((test) => ({
      name: test.name,
      status: STATUSES[test.status],
      message: test.message ?? '',
    })),
  });
});
process.on('uncaughtException', (error) => {
  say({ harness: { status: 1, message: String(error?.stack ?? error) }, tests: [] });
});

// Nothing goes on any more, and the tests have not ended.
process.once('beforeExit', () => globalThis.timeout());

for (const script of scriptsOf(join(root, 'websockets', file))) {
  if (typeof script === 'string') {
    if (existsSync(script)) run(script);
  } else {
    runInThisContext(script.text, { filename: file });
  }
}
globalThis.done?.();
