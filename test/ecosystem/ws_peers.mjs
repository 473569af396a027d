// The package `ws` as the other side of our WebSockets: its client at our server, our client at its
// server. One line of JSON for each check: { what, error }. Run by test/lanes/ecosystem.mjs.
import { once } from 'node:events';
import WebSocket, { WebSocketServer } from 'ws';

const { serve } = await import(process.env.RINGPOLL_HTTP);
const { connectWebSocket } = await import(process.env.RINGPOLL_WEBSOCKET);

const MS_MAX = 10_000;
const LENGTHS = [0, 1, 125, 126, 1023, 1024, 65_535, 65_536, 300_000];
const bytesOf = (length) =>
  Buffer.from(Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
const messages = [
  ...['', 'a', 'grün €', '😀'.repeat(50), 'word '.repeat(40_000)],
  ...LENGTHS.map(bytesOf),
];
const THEIRS = {
  'without compression': false,
  'with context takeover': { threshold: 0 },
  'without context takeover': {
    threshold: 0,
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
  },
  'with windows of 10 bits': { threshold: 0, serverMaxWindowBits: 10, clientMaxWindowBits: 10 },
};
const OURS = {
  'a shared compressor': { threshold: 0 },
  'dedicated compressors': { threshold: 0, dedicated: true },
};

function demand(holds, what) {
  if (!holds) throw new Error(what);
}

function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${MS_MAX} ms`)), MS_MAX);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function compare(got, sent) {
  demand(typeof got === typeof sent, 'text and bytes are told apart');
  const same = typeof sent === 'string' ? got === sent : Buffer.compare(got, sent) === 0;
  demand(same, `a message of ${sent.length} came back as it was`);
}

/** Sends everything at once; all of it comes back in order. */
async function echoes(send, received) {
  for (const message of messages) send(message);
  for (const message of messages) compare(await within(received(), 'echo'), message);
}

/** What a client of theirs gets, one after the other. */
function inbox(socket) {
  const got = [];
  const waiting = [];
  socket.on('message', (data, isBinary) => {
    const message = isBinary ? data : data.toString();
    if (waiting.length > 0) waiting.shift()(message);
    else got.push(message);
  });
  return () =>
    got.length > 0 ? Promise.resolve(got.shift()) : new Promise((done) => waiting.push(done));
}

const closes = [];
const server = (perMessageDeflate) =>
  serve({
    host: '127.0.0.1',
    port: 0,
    handler: () => 'http',
    websocket: {
      perMessageDeflate,
      message: (socket, message) => socket.send(message),
      close: (_, code, reason) => closes.push([code, reason]),
    },
  });

async function theirClient(theirs, ours) {
  const served = server(ours);
  const client = new WebSocket(`ws://127.0.0.1:${served.port}/`, { perMessageDeflate: theirs });
  const received = inbox(client);
  await within(once(client, 'open'), 'open');
  demand((client.extensions !== '') === (theirs !== false), 'compression is agreed on');
  await echoes((message) => client.send(message), received);
  // A message in fragments, with a ping between them.
  client.send('one, ', { fin: false });
  client.ping('between');
  client.send('two', { fin: true });
  const [payload] = await within(once(client, 'pong'), 'pong');
  demand(payload.toString() === 'between', 'the pong has the payload of the ping');
  compare(await within(received(), 'message of fragments'), 'one, two');
  client.close(3001, 'enough');
  const [code] = await within(once(client, 'close'), 'close');
  demand(code === 3001, `the answer has the code, not ${code}`);
  await within(served.stop(), 'stop');
  demand(closes.at(-1).join() === '3001,enough', `our close handler got ${closes.at(-1)}`);
}

async function ourClient(theirs, ours) {
  const served = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: theirs });
  await once(served, 'listening');
  served.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  const got = [];
  const waiting = [];
  const received = () =>
    got.length > 0 ? Promise.resolve(got.shift()) : new Promise((done) => waiting.push(done));
  const ends = [];
  const client = await connectWebSocket(`ws://127.0.0.1:${served.address().port}/`, {
    perMessageDeflate: ours,
    message(_, message) {
      const kept = typeof message === 'string' ? message : message.copy();
      if (waiting.length > 0) waiting.shift()(kept);
      else got.push(kept);
    },
    close: (_, code, reason) => ends.push([code, reason]),
  });
  await echoes((message) => client.send(message), received);
  client.close(3001, 'enough');
  await within(client.closed, 'close');
  demand(ends.join() === '3001,enough', `closed with ${ends}`);
  served.close();
}

async function check(what, work) {
  let error;
  try {
    await work();
  } catch (thrown) {
    error = String(thrown.stack);
  }
  console.log(JSON.stringify({ what, error }));
}

for (const [theirName, theirs] of Object.entries(THEIRS)) {
  for (const [ourName, ours] of Object.entries(OURS)) {
    const how = `${theirName}, at ${ourName}`;
    await check(`client of ws ${how}`, () => theirClient(theirs, ours));
    await check(`server of ws ${how}`, () => ourClient(theirs, ours));
  }
}
process.exit(0);
