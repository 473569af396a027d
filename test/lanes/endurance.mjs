// The lane of what TLS does to a server in the long run: 100,000 handshakes, and 10,000 that stop
// in the middle beside a client that does not. It takes minutes, and runs when it is named.
// By hand: node test/lanes/endurance.mjs [ENGINE [HANDSHAKES [STOPPED]]]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as tlsConnect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { generate } from 'selfsigned';
import { refusal } from '../support/vitest-lane.mjs';

export const name = 'endurance';
export const onRequest = true;
export const msMax = 40 * 60 * 1000;

const ENGINES = ['poll', 'uring', 'hybrid'];
const HANDSHAKES = 100_000;
const WARM = 1_000;
const STOPPED = 10_000;
const AT_ONCE = 16;
/** What the process may have taken between the first thousand handshakes and the last. */
const RSS_MORE_MAX = 1.25;
const RSS_MORE_BYTES_MAX = 8 * 1024 * 1024;
const ANSWER_MS_MAX = 5_000;
const MEGABYTE = 1024 * 1024;

const SERVER = `
import { listen } from 'ringpoll';
const { cert, key } = JSON.parse(process.env.PAIR);
const listener = listen({
  host: '127.0.0.1', port: 0, backlog: 4096, tls: { cert, key, handshakeTimeout: 60_000 },
  data: (connection, chunk) => connection.end(chunk),
});
console.log(listener.port);
process.stdin.on('data', () => {
  globalThis.gc();
  const { tls } = listener.metrics();
  console.log(JSON.stringify({ rss: process.memoryUsage.rss(), ...tls }));
});
`;

async function startServer(engine, pair) {
  const args = ['--expose-gc', '--input-type=module', '--eval', SERVER];
  const env = { ...process.env, RINGPOLL_ENGINE: engine, PAIR: JSON.stringify(pair) };
  const cwd = fileURLToPath(new URL('../../', import.meta.url));
  const child = spawn(process.execPath, args, { env, cwd, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the server has ended');
    return value;
  };
  const port = Number(await line());
  const facts = async () => {
    child.stdin.write('\n');
    return JSON.parse(await line());
  };
  const stop = async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return { port, facts, stop };
}

/** A whole connection; resolves with its milliseconds. */
function visit(port, cert) {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const socket = tlsConnect({ port, host: '127.0.0.1', servername: 'localhost', ca: cert });
    const late = setTimeout(() => socket.destroy(new Error('no answer')), ANSWER_MS_MAX);
    let got = '';
    socket.on('secureConnect', () => socket.write('hello'));
    socket.on('data', (piece) => {
      got += piece;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(late);
      if (got === 'hello') resolve(performance.now() - start);
      else reject(new Error(`the answer is ${JSON.stringify(got)}`));
    });
  });
}

async function visits(port, cert, count) {
  let left = count;
  const one = async () => {
    while (left-- > 0) await visit(port, cert);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/** What a client sends first. */
async function clientHello() {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = once(server, 'connection');
  const client = tlsConnect({ port: server.address().port, host: '127.0.0.1' });
  client.on('error', () => {});
  const [socket] = await accepted;
  const [bytes] = await once(socket, 'data');
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

async function longRun(port, facts, cert, count) {
  await visits(port, cert, WARM);
  const before = await facts();
  await visits(port, cert, count - WARM);
  const after = await facts();
  const most = before.rss * RSS_MORE_MAX + RSS_MORE_BYTES_MAX;
  const told = [before, after].map(({ rss }) => `${(rss / MEGABYTE).toFixed(1)} MB`);
  console.log(`RSS after ${WARM} and after ${count} handshakes: ${told.join(', ')}`);
  const { full, resumed, failures, connections } = after;
  const counts = `${full + resumed} completed, ${failures} failed, ${connections} open`;
  const good = full + resumed === count && failures === 0 && connections === 0;
  return good && after.rss <= most ? [] : [`${counts}, RSS ${told.join(' and then ')}`];
}

async function stopped(port, facts, cert, count) {
  const hello = await clientHello();
  const idle = await facts();
  const sockets = [];
  const times = [];
  for (let i = 0; i < count; i++) {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.on('error', () => {}).resume();
    // Some say nothing, some stop within their hello, and some behind it.
    socket.write(hello.subarray(0, [0, 50, hello.length][i % 3]));
    sockets.push(socket);
    if (i % 500 === 499) times.push(await visit(port, cert));
  }
  const full = await facts();
  for (let i = 0; i < 20; i++) times.push(await visit(port, cert));
  for (const socket of sockets) socket.destroy();
  const bytes = (full.rss - idle.rss) / Math.max(1, full.connections);
  times.sort((a, b) => a - b);
  const median = times[times.length >> 1].toFixed(1);
  console.log(
    `${full.connections} handshakes that stand still: ${(bytes / 1024).toFixed(1)} KB each; ` +
      `an honest client takes ${median} ms, ${times.at(-1).toFixed(1)} at most`,
  );
  return full.connections >= count * 0.99 ? [] : [`${full.connections} of ${count} were there`];
}

async function checksOf(engine, handshakes, standing) {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...{ algorithm: 'sha256', keyType: 'ec' },
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  const { port, facts, stop } = await startServer(engine, { cert, key });
  const failures = [];
  try {
    failures.push(...(await longRun(port, facts, cert, handshakes)));
    failures.push(...(await stopped(port, facts, cert, standing)));
  } finally {
    await stop();
  }
  return failures.map((failure) => `${engine}: ${failure}`);
}

export async function run(engines = ENGINES, handshakes = HANDSHAKES, standing = STOPPED) {
  const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
  for (const engine of engines) {
    const reason = engine === 'uring' ? await refusal('uring') : undefined;
    const failures = reason ? [] : await checksOf(engine, handshakes, standing);
    if (reason) result.skipped++;
    else result.passed += 2 - failures.length;
    result.failed += failures.length;
    result.notes.push(...failures, ...(reason ? [`io_uring: ${reason}`] : []));
  }
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [engine, handshakes, standing] = process.argv.slice(2);
  const result = await run(
    engine === undefined ? ENGINES : [engine],
    handshakes === undefined ? HANDSHAKES : Number(handshakes),
    standing === undefined ? STOPPED : Number(standing),
  );
  console.log(result);
  process.exitCode = result.failed > 0 ? 1 : 0;
}
