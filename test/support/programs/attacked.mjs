// The server that is attacked: every face, in a process of its own. Prints its ports, then answers
// each line on its standard input with what it has noticed since the last one, as JSON.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect, listen } from 'ringpoll';
import { serve } from 'ringpoll/http';

const host = '127.0.0.1';
const TICK_MS = 5;
const TICKS_BETWEEN_COUNTS = 20; // of descriptors
const SLOW_MS = 300;
const IDLE_MS = 6000;
const block = Buffer.alloc(16 * 1024, 'b');
const forty = Buffer.alloc(40_000, 'f');
const large = Buffer.alloc(16 * 1024 * 1024, 'l');

const root = mkdtempSync(join(tmpdir(), 'ringpoll-attacked-'));
process.once('exit', () => rmSync(root, { recursive: true, force: true }));
writeFileSync(join(root, 'blob'), large.subarray(0, 1024 * 1024));

// What has begun and is not over, by name.
const pending = new Map();
const count = (what, by) => pending.set(what, (pending.get(what) ?? 0) + by);

async function tracked(what, work) {
  count(what, 1);
  try {
    return await work();
  } finally {
    count(what, -1);
  }
}

/** Never ends by itself, and does nothing but write. */
async function writeForEver(to, goesOn = () => true) {
  while (goesOn()) if (!to.write(block)) await to.drained();
}

const echo = {
  data(connection, chunk) {
    if (!connection.write(chunk)) connection.pause();
  },
  drain: (connection) => connection.resume(),
  error() {},
};

/** The first byte says what is wanted. */
const raw = listen({
  ...{ host, port: 0, ...echo, idleTimeout: IDLE_MS },
  // A peer that ends its side of a paused connection is heard by nobody who reads.
  timeout: (connection) => connection.reset(),
  data(connection, chunk) {
    if (connection.data === undefined) connection.data = String.fromCharCode(chunk.bytes[0]);
    if (connection.data === 'p') connection.pause();
    if (connection.data === 'e') echo.data(connection, chunk);
    if (connection.data === 'g') {
      connection.data = 'busy';
      return tracked('raw g', () => writeForEver(connection));
    }
  },
});

async function bytesOf(stream) {
  let bytes = 0;
  for await (const piece of stream) bytes += piece.length;
  return String(bytes);
}

/** A connection of our own, given up after a moment. */
async function dial(port) {
  const signal = AbortSignal.timeout(20);
  const connection = await connect({ host, port, signal, data() {}, error() {} });
  connection.reset();
}

const later = (signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, SLOW_MS);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

const HANDLERS = {
  '/small': (_, response) => response.end('hello'),
  '/forty': (_, response) => response.end(forty),
  '/large': (_, response) => response.end(large),
  '/body': async (request, response) => response.end(String((await request.body()).length)),
  '/pieces': async (request, response) => response.end(await bytesOf(request.stream())),
  '/polite': (request, response) =>
    writeForEver(response, () => !request.signal.aborted).then(() => response.end()),
  '/greedy': (_, response) => writeForEver(response),
  '/slow': (request, response) => later(request.signal).then(() => response.end('slow')),
  '/deaf': (_, response) =>
    new Promise((resolve) => setTimeout(resolve, SLOW_MS)).then(() => response.end('deaf')),
  '/file': (_, response) => response.sendFile('/blob', { root }),
  '/dial': (_, response) => dial(raw.port).finally(() => response.end('dialled')),
  '/throw': () => Promise.reject(new Error('on purpose')),
  '/upgrade'(request, response) {
    if (request.header('upgrade') === undefined) response.status(426).end();
    else response.upgrade({ Upgrade: 'echo', Connection: 'Upgrade' }, echo);
  },
};

const timeouts = { readTimeout: 2000, headersTimeout: 2000, writeTimeout: 2000 };
const fast = serve({
  ...{
    host,
    port: 0,
    upgrade: true,
    error() {},
    ...timeouts,
    lingerTimeout: 1000,
    keepAliveTimeout: 60_000,
  },
  static: { '/static': { body: forty } },
  handler(request, response) {
    const handle = HANDLERS[request.path];
    if (handle === undefined) return response.status(404).end();
    return tracked(`handler ${request.path}`, async () => handle(request, response));
  },
});

async function* blocksForEver() {
  count('generator', 1);
  try {
    for (;;) yield block;
  } finally {
    count('generator', -1);
  }
}

function pulledForEver() {
  count('pulled stream', 1);
  return new ReadableStream({
    pull: (controller) => controller.enqueue(block),
    cancel: () => count('pulled stream', -1),
  });
}

const ANSWERS = {
  '/small': () => new Response('hello'),
  '/forty': () => new Response(forty),
  '/generator': () => new Response(blocksForEver()),
  '/pulled': () => new Response(pulledForEver()),
  '/text': async (request) => new Response(String((await request.text()).length)),
  '/echo': (request) => new Response(request.body),
};

const fetching = serve({
  ...{ host, port: 0, error() {}, ...timeouts, lingerTimeout: 1000, keepAliveTimeout: 60_000 },
  fetch(request) {
    const path = new URL(request.url).pathname;
    const answer = ANSWERS[path];
    if (answer === undefined) return new Response(null, { status: 404 });
    return tracked(`fetch ${path}`, async () => answer(request));
  },
});

const faces = { raw, fast, fetch: fetching };
const connections = () =>
  Object.fromEntries(Object.entries(faces).map(([name, face]) => [name, face.connections]));

/** Descriptors that are no connections, where they can be counted. */
function otherDescriptors() {
  if (process.platform !== 'linux') return 0;
  const all = readdirSync('/proc/self/fd').length;
  return Object.values(connections()).reduce((left, count) => left - count, all);
}

// The longest time between two ticks of a timer, counted in CPU where that is less than the clock:
// what other processes take is nothing that was done here.
let last = { cpu: process.cpuUsage(), at: performance.now() };
let ticks = 0;
let seen = {};
const startOver = () => {
  seen = { turnMs: 0, rss: process.memoryUsage.rss(), descriptors: otherDescriptors() };
};
startOver();

setInterval(() => {
  const { user, system } = process.cpuUsage(last.cpu);
  const passed = performance.now() - last.at;
  seen.turnMs = Math.max(seen.turnMs, Math.min((user + system) / 1000, passed));
  seen.rss = Math.max(seen.rss, process.memoryUsage.rss());
  if (ticks++ % TICKS_BETWEEN_COUNTS === 0) {
    seen.descriptors = Math.max(seen.descriptors, otherDescriptors());
  }
  last = { cpu: process.cpuUsage(), at: performance.now() };
}, TICK_MS);

function report() {
  const open = [...pending].filter(([, number]) => number !== 0);
  const line = { ...seen, connections: connections(), pending: Object.fromEntries(open) };
  startOver();
  return JSON.stringify(line);
}

process.on('unhandledRejection', (error) => {
  process.stderr.write(`unhandled: ${error.stack}\n`);
  process.exit(1);
});
const ports = Object.entries(faces).map(([name, face]) => [name, face.port]);
console.log(JSON.stringify(Object.fromEntries(ports)));
for await (const _ of createInterface({ input: process.stdin })) console.log(report());
process.exit(0);
