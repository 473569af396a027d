// What the browser's tests talk to: node test/browser/server.mjs [https]. Prints `ready PORT`. Over
// TLS it speaks HTTP/2 too, with a certificate that is signed by itself.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Loop } from 'ringpoll';
import { serve } from 'ringpoll/http';
import { generate } from 'selfsigned';

const root = fileURLToPath(new URL('page/', import.meta.url));
const WEBSOCKET_KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const PIECES = 5;
const CHUNK = Buffer.alloc(64 * 1024, 'x');

async function makePair() {
  const name = [{ name: 'commonName', value: 'localhost' }];
  const { cert, private: key } = await generate(name, { algorithm: 'sha256', keyType: 'ec' });
  return { cert, key };
}

/** A second of silence: 8-bit samples, one channel, 8 kHz. */
function silence() {
  const samples = Buffer.alloc(8000, 128);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(8000, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

const folder = mkdtempSync(join(tmpdir(), 'ringpoll-sound-'));
writeFileSync(join(folder, 'sound.wav'), silence());
process.once('exit', () => rmSync(folder, { recursive: true }));

/** Resolves each time that the page asks for /go. */
let go = () => {};
const untilGo = () =>
  new Promise((resolve) => {
    go = resolve;
  });

let abortedCount = 0;
let toldOfAbort = () => {};

async function pieces(_, response) {
  response.header('Content-Type', 'text/plain');
  for (let number = 1; number <= PIECES; number += 1) {
    const asked = untilGo();
    response.write(`piece ${number}\n`);
    await asked; // the page has read this piece before the next one is written
  }
  response.trailer('X-Pieces', String(PIECES));
  response.end();
}

async function upload(request, response) {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of request.stream()) {
    hash.update(piece);
    bytes += piece.length;
  }
  response.json({ bytes, sha256: hash.digest('hex') });
}

async function download(request, response) {
  const count = Number(request.params.count);
  for (let index = 0; index < count; index += 1) {
    if (!response.write(CHUNK)) await response.drained();
  }
  response.end();
}

function events(request, response) {
  const last = Number(request.header('last-event-id') ?? 0);
  response.header('Content-Type', 'text/event-stream').header('Cache-Control', 'no-store');
  response.write('retry: 10\n\n');
  for (let id = last + 1; id <= last + 3; id += 1) response.write(`id: ${id}\ndata: ${id}\n\n`);
  response.end();
}

function hang(request, response) {
  response.write('for ever');
  request.signal.addEventListener('abort', () => {
    abortedCount += 1;
    toldOfAbort();
    response.end();
  });
}

async function aborted(_, response) {
  if (abortedCount === 0) {
    await new Promise((resolve) => {
      toldOfAbort = resolve;
    });
  }
  response.json(abortedCount);
}

/** RFC 6455: the handshake, and then one text frame of the server's. */
function webSocket(request, response) {
  const key = request.header('sec-websocket-key') + WEBSOCKET_KEY_SUFFIX;
  const accept = createHash('sha1').update(key).digest('base64');
  const headers = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': accept };
  const connection = response.upgrade(headers, { data: (raw) => raw.close() });
  connection.write(Buffer.from([0x81, 5, ...Buffer.from('hello')]));
}

const secure = process.argv[2] === 'https' ? { tls: await makePair(), http2: true } : {};

const server = serve({
  host: '127.0.0.1',
  port: 0,
  ...secure,
  upgrade: true,
  websocket: {
    perMessageDeflate: { threshold: 0 },
    // /socket is what a program makes of the raw connection.
    upgrade: ({ path }) => path !== '/socket' && { protocol: path === '/echo' ? 'echo' : '' },
    open: (socket) => socket.subscribe('all'),
    message(socket, message) {
      if (message === 'close') socket.close(4000, 'as you say');
      else if (message === 'publish') server.publish('all', 'to all');
      else if (!socket.send(message)) socket.pause();
    },
    drain: (socket) => socket.resume(),
  },
  static: { '/static': { headers: { 'Content-Type': 'text/plain' }, body: 'from native code' } },
  routes: {
    '/json': { POST: async (request, response) => response.json(await request.json()) },
    '/number/:n': (request, response) => {
      response.json({ n: Number(request.params.n), port: request.remotePort });
    },
    '/pieces': pieces,
    '/go': (_, response) => {
      go();
      response.status(204).end();
    },
    '/upload': { POST: upload },
    '/download/:count': download,
    '/events': events,
    '/sound.wav': (_, response) => response.sendFile(join(folder, 'sound.wav')),
    '/hang': hang,
    '/aborted': aborted,
    '/socket': webSocket,
    '/engine': (_, response) => response.json(Loop.current().engine),
    '/*': {
      GET(request, response) {
        const path = request.path === '/' ? '/index.html' : request.path;
        return response.sendFile(path, { root, cacheControl: 'no-cache' });
      },
    },
  },
});

console.log(`ready ${server.port}`);
process.once('SIGTERM', () => server.stop({ timeout: 2000 }));
