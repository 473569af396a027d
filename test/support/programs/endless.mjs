// Servers whose answers are made by promises alone: nothing here waits for a timer or for I/O.
// Prints `ready PORT STATE_PORT`; the argument is the name of the producer. The second server tells
// how the first one fares: `longestMs`, the longest time between two ticks of a timer since it was
// last asked, `turns`, and `ended`, how many producers have come to their end.
import { Readable } from 'node:stream';
import { Hono } from 'hono';
import { stream, streamSSE } from 'hono/streaming';
import { listen } from 'ringpoll';
import { Response as LightResponse, serve } from 'ringpoll/http';

const [, , name] = process.argv;

// Readable.toWeb() of Node 20 may enqueue once more after it was cancelled, and throws then.
process.on('uncaughtException', (error) => {
  if (error.code !== 'ERR_INVALID_STATE') throw error;
});

const PIECE = new Uint8Array(16 * 1024).fill(0x78);
const TICK_MS = 5;
let ended = 0;
let turns = 0;
let longestMs = 0;

let lastTick = performance.now();
setInterval(() => {
  const now = performance.now();
  longestMs = Math.max(longestMs, now - lastTick - TICK_MS);
  lastTick = now;
}, TICK_MS);
setImmediate(function turn() {
  turns += 1;
  setImmediate(turn);
});

const end = () => {
  ended += 1;
};

/** For ever, or until `bytes` are made. */
async function* pieces(bytes = Number.POSITIVE_INFINITY, piece = PIECE) {
  try {
    for (let made = 0; made < bytes; made += piece.length) yield piece;
  } finally {
    end();
  }
}

const asStream = (underlying) => new ReadableStream(underlying, { highWaterMark: 0 });
const pulled = (piece) =>
  asStream({
    pull: (controller) => controller.enqueue(piece),
    cancel: end,
  });

async function writes(request, response, piece) {
  try {
    while (!request.signal.aborted) if (!response.write(piece)) await response.drained();
  } finally {
    end();
  }
}

/** Goes on whatever it is told, until it sees the end of the signal. */
async function swallows(request, response) {
  while (!request.signal.aborted) {
    if (!response.write(PIECE)) await response.drained().catch(() => {});
  }
  end();
}

function hono() {
  const app = new Hono();
  app.get('/stream', (context) =>
    stream(context, async (out) => {
      while (!out.aborted) await out.write(PIECE);
      end();
    }),
  );
  app.get('/sse', (context) =>
    streamSSE(context, async (out) => {
      while (!out.aborted) await out.writeSSE({ data: 'x'.repeat(1000) });
      end();
    }),
  );
  return app.fetch;
}

function transformed() {
  const { readable, writable } = new TransformStream();
  pulled(PIECE)
    .pipeTo(writable)
    .catch(() => {});
  return readable;
}

const overFetch = (answer) => ({ fetch: (request) => answer(request) });
const overWeb = (body) => overFetch(() => new Response(body()));

const http = {
  write: () => ({ handler: (request, response) => writes(request, response, PIECE) }),
  bytes: () => ({ handler: (request, response) => writes(request, response, 'x') }),
  large: () => ({
    handler: (request, response) => writes(request, response, Buffer.alloc(1024 * 1024)),
  }),
  swallow: () => ({ handler: swallows }),
  generator: () => overFetch(() => new LightResponse(pieces())),
  finite: () => overFetch(() => new LightResponse(pieces(200 * 1024 * 1024))),
  pull: () => overWeb(() => pulled(PIECE)),
  nothing: () => overWeb(() => pulled(new Uint8Array(0))),
  readable: () => overWeb(() => Readable.toWeb(Readable.from(pieces()))),
  transform: () => overWeb(transformed),
  hono: () => ({ fetch: hono() }),
};

async function rawWrites(connection) {
  try {
    for (;;) if (!connection.write(PIECE)) await connection.drained();
  } finally {
    end();
  }
}

async function rawTries(connection) {
  try {
    for (;;) if (connection.tryWrite(PIECE) < PIECE.length) await connection.drained();
  } finally {
    end();
  }
}

const fill = (connection) => {
  while (connection.write(PIECE));
};
const quiet = { data() {}, error() {} };

const raw = {
  'raw-write': () => ({ ...quiet, open: (connection) => rawWrites(connection).catch(() => {}) }),
  'raw-try': () => ({ ...quiet, open: (connection) => rawTries(connection).catch(() => {}) }),
  'raw-drain': () => ({ ...quiet, open: fill, drain: fill, close: end }),
  'raw-iterator': () => ({
    error() {},
    async open(connection) {
      // biome-ignore lint/correctness/noUnusedVariables: each request starts the producer
      for await (const request of connection) await rawWrites(connection).catch(() => {});
    },
  }),
};

const where = { host: '127.0.0.1', port: 0 };
const server =
  name in http
    ? serve({ ...where, error() {}, ...http[name]() })
    : listen({ ...where, ...raw[name]() });
const state = serve({
  ...where,
  handler(_, response) {
    response.json({ ended, turns, longestMs });
    longestMs = 0;
  },
});
console.log(`ready ${server.address.port} ${state.port}`);
