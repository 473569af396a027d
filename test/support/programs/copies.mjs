// Two copies of the package in one thread: `evaluated` (the modules are evaluated again over the
// same addon), `folder` (the package lies in two folders) or `version` (one of another version).
// With `worker` behind it all of that happens in a worker. Prints what both of them did.
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { connect as netConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

const [kind, where] = isMainThread ? process.argv.slice(2) : workerData;
const host = '127.0.0.1';
const root = new URL('../../../', import.meta.url);

/** Modules that a module with a query imports get the same query. */
const hooks = `export async function resolve(name, context, next) {
  const found = await next(name, context);
  const query = new URL(context.parentURL ?? 'file:///').search;
  if (query === '' || !found.url.includes('/dist/')) return found;
  return { ...found, url: found.url.split('?')[0] + query };
}`;

function entry(folder, name, query = '') {
  return import(new URL(`dist/${name}.js${query}`, folder));
}

async function copyAt(folder, query) {
  const [main, http, fs] = await Promise.all(
    ['index', 'http/index', 'fs/index'].map((name) => entry(folder, name, query)),
  );
  return { ...main, ...http, fs };
}

async function otherCopy() {
  if (kind === 'evaluated') {
    register(`data:text/javascript,${encodeURIComponent(hooks)}`);
    return copyAt(root, '?copy=2');
  }
  const top = mkdtempSync(join(tmpdir(), 'ringpoll-copy-'));
  process.on('exit', () => rmSync(top, { recursive: true, force: true }));
  const folder = pathToFileURL(`${top}/`);
  for (const part of ['dist', 'build/Release/ringpoll.node', 'package.json']) {
    cpSync(new URL(part, root), new URL(part, folder), { recursive: true });
  }
  if (kind === 'version') pretendNewer(folder);
  symlinkSync(new URL('node_modules', root), new URL('node_modules', folder));
  return kind === 'version' ? entry(folder, 'index') : copyAt(folder);
}

/** The copy says that it is of version 99. */
function pretendNewer(folder) {
  const core = new URL('dist/shared/core.js', folder);
  const { version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
  const text = readFileSync(core, 'utf8');
  writeFileSync(core, text.replaceAll(version, '99.0.0'));
}

async function echoed({ listen }, { connect }) {
  const listener = listen({ host, port: 0, data: (peer, chunk) => void peer.write(chunk) });
  const connection = await connect({ host, port: listener.port });
  connection.end('echo');
  let text = '';
  for await (const chunk of connection) text += chunk;
  await listener.stop();
  return text;
}

/** Chunks of one copy are written to connections of the other. */
async function proxied(front, back) {
  let ready;
  const opened = new Promise((resolve) => {
    ready = resolve;
  });
  const target = back.listen({ host, port: 0, data: (peer, chunk) => void peer.write(chunk) });
  const listener = front.listen({
    host,
    port: 0,
    async open(peer) {
      const behind = await back.connect({ host, port: target.port });
      peer.data = behind;
      ready();
      for await (const chunk of behind) peer.write(chunk);
      peer.end();
    },
    data(peer, chunk) {
      peer.data.write(chunk);
      peer.data.end();
    },
  });
  const client = await front.connect({ host, port: listener.port });
  const bytes = 'x'.repeat(40_000);
  await opened;
  client.write(bytes);
  let received = 0;
  for await (const chunk of client) received += chunk.length;
  await Promise.all([listener.stop(), target.stop()]);
  return received > 0;
}

/** A connection of `one` is over, and its close waits for resume(): its numbers are free. */
async function held(one, two) {
  const heard = new Map();
  const listener = one.listen({
    ...{ host, port: 0 },
    open(peer) {
      heard.set(peer, ['open']);
      peer.end();
    },
    data(peer) {
      heard.get(peer).push('data');
      for (const each of heard.keys()) each.pause();
    },
    close: (peer) => heard.get(peer).push('close'),
  });
  const open = () => netConnect({ host, port: listener.port, allowHalfOpen: true }).resume();
  const sockets = [open(), open()];
  await Promise.all(sockets.map((socket) => once(socket, 'end')));
  // Together, so that the second one's data is received before the first one's handler has run.
  for (const socket of sockets) socket.end('the last');
  await Promise.all(sockets.map((socket) => once(socket, 'close')));
  const stopped = listener.stop();
  // As many turns as it takes to have the end and the close of both.
  for (let turn = 0; turn < 3; turn += 1) await echoed(two, two);
  const [connection, events] = [...heard].find(([, list]) => !list.includes('data'));
  const before = events.join(' ');
  const text = await echoed(two, two);
  connection.resume();
  await stopped;
  return `${before}, ${text}, ${events.join(' ')}`;
}

async function served({ serve }) {
  const fetched = serve({ host, port: 0, fetch: async (request) => new Response(request.url) });
  const plain = serve({
    host,
    port: 0,
    handler: (request, response) => response.end(request.path),
  });
  const get = async ({ port }) => (await fetch(`http://${host}:${port}/a`)).text();
  const texts = await Promise.all([get(fetched), get(plain)]);
  await Promise.all([fetched.stop(), plain.stop()]);
  return texts.map((text) => text.at(-1)).join('');
}

async function filed({ fs }, other) {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-copies-'));
  const path = join(folder, 'a');
  writeFileSync(path, '');
  const handle = await fs.open(path, 'r+');
  for (let at = 0; at < 20; at += 1) await handle.write(`${at % 10}`, at);
  await handle.sync();
  const text = await other.fs.readFile(path, 'utf8');
  const [first, whole] = await Promise.all([fs.stat(path), other.fs.readFile(handle, 'utf8')]);
  await handle.close();
  rmSync(folder, { recursive: true });
  return `${text.length} ${first.size} ${whole.length}`;
}

async function work(one, two) {
  const pairs = [
    [one, two],
    [two, one],
  ];
  const results = await Promise.all(
    pairs.flatMap(([a, b]) => [echoed(a, a), echoed(a, b), served(a), filed(a, b)]),
  );
  return results.join(' ');
}

function refusal({ listen }) {
  try {
    listen({ host, port: 0 });
    return 'none';
  } catch ({ code, message }) {
    const versions = message.match(/ringpoll \d+\.\d+\.\d+ \(/g)?.length;
    return `${code} ${versions} ${message.includes('npm dedupe')}`;
  }
}

async function main() {
  const one = await copyAt(root);
  one.Loop.current();
  const two = await otherCopy();
  if (kind === 'version') {
    console.log(refusal(two));
    console.log(refusal(two));
    console.log(await echoed(one, one));
    return;
  }
  console.log(await work(one, two));
  console.log(`proxied ${await proxied(one, two)} ${await proxied(two, one)}`);
  console.log(await held(one, two));
  console.log(await held(two, one));
  // Everything has stopped, so the loop sleeps; and wakes up again.
  await new Promise(setImmediate);
  console.log(await echoed(two, one));
  const error = new two.RingpollError('ERR_RINGPOLL_CANCELLED', '');
  console.log(one.Chunk !== two.Chunk, error instanceof one.RingpollError);
}

if (where === 'worker' && isMainThread) {
  new Worker(new URL(import.meta.url), { workerData: [kind] });
} else {
  await main();
}
