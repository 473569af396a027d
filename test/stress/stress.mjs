// A bounded amount of everything that the addon does with memory, for a build that watches it:
// echo, short connections, resets, chunks that are kept, HTTP, files, and workers that are
// terminated in the middle. Prints a line for each part; any wrong byte is an exception.
// Usage: node test/stress/stress.mjs [seed]
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, parentPort, threadId, Worker, workerData } from 'node:worker_threads';
import { Loop, listen } from 'ringpoll';
import { readFile, writeFile } from 'ringpoll/fs';
import { serve } from 'ringpoll/http';

const host = '127.0.0.1';

/** A small generator, so that a seed names a run. */
function randomOf(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const random = randomOf(isMainThread ? Number(process.argv[2] ?? 1) : workerData.seed);

function blob(bytes) {
  const buffer = Buffer.allocUnsafe(bytes);
  const start = random(256);
  for (let i = 0; i < bytes; i++) buffer[i] = start + i * 7 + (i >> 8);
  return buffer;
}

/** Sends `bytes` in pieces, and resolves with as many bytes of answer. */
async function exchange(socket, bytes) {
  const parts = [];
  let received = 0;
  const done = new Promise((resolve, reject) => {
    socket.on('data', (part) => {
      parts.push(part);
      received += part.length;
      if (received >= bytes.length) resolve();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed before the answer was complete')));
  });
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + random(60_000));
    if (!socket.write(bytes.subarray(at, end))) await once(socket, 'drain');
    at = end;
  }
  await done;
  socket.removeAllListeners();
  socket.on('error', () => {});
  return Buffer.concat(parts);
}

/** Echoes in four ways: at once, copied, retained until later, iterated. */
function echoServer() {
  const later = [];
  const listener = listen({
    host,
    port: 0,
    data(connection, chunk) {
      const way = random(3);
      if (later.length > 0) {
        later.push([connection, chunk.retain()]); // not past those that wait
      } else if (way === 0) {
        connection.write(chunk);
      } else if (way === 1) {
        connection.write(chunk.copy());
      } else {
        later.push([connection, chunk.retain()]);
        setImmediate(() => {
          for (const [to, kept] of later.splice(0)) {
            if (to.readyState === 'open') to.write(kept);
            kept.release();
          }
        });
      }
    },
    error() {},
  });
  return listener;
}

async function echo(rounds) {
  const listener = echoServer();
  const clients = Array.from({ length: 20 }, async () => {
    for (let round = 0; round < rounds; round++) {
      const socket = dial(listener.address.port, host);
      const bytes = blob(1 + random(250_000));
      assert.ok((await exchange(socket, bytes)).equals(bytes), 'the echo is wrong');
      if (random(2) === 0) socket.resetAndDestroy();
      else socket.end();
    }
  });
  await Promise.all(clients);
  listener.destroy();
}

async function churn(connections) {
  const listener = listen({
    host,
    port: 0,
    open(connection) {
      const what = random(6);
      if (what === 0) connection.reset();
      if (what === 1) connection.end('bye');
      if (what === 2) connection.write(blob(300_000));
      if (what === 3) connection.close();
      connection.setTimeout(1 + random(50));
    },
    data(connection, chunk) {
      if (random(4) === 0) connection.pause();
      else connection.write(chunk);
    },
    timeout: (connection) => connection.resume(),
    error() {},
  });
  let open = 0;
  await new Promise((resolve) => {
    let left = connections;
    const next = () => {
      if (left === 0 && open === 0) resolve();
      while (left > 0 && open < 50) {
        left--;
        open++;
        const socket = dial(listener.address.port, host);
        const leave = random(4);
        socket.on('error', () => {});
        socket.on('connect', () => {
          socket.write(blob(1 + random(5_000)));
          if (leave === 0) socket.resetAndDestroy();
          if (leave === 1) socket.destroy();
          if (leave === 2) socket.end();
        });
        socket.on('data', () => {
          if (leave === 3) socket.destroy();
        });
        socket.on('end', () => socket.destroy());
        socket.on('close', () => {
          open--;
          next();
        });
        if (leave === 3) setTimeout(() => socket.destroy(), 200).unref();
      }
    };
    next();
  });
  listener.destroy();
}

async function kept(rounds) {
  const held = [];
  const listener = listen({
    host,
    port: 0,
    data(connection, chunk) {
      connection.write(chunk);
      held.push({ chunk: chunk.retain(), copy: Buffer.from(chunk.bytes) });
      if (held.length > 40) {
        const [{ chunk: old, copy }] = held.splice(random(held.length), 1);
        assert.ok(old.bytes.equals(copy), 'a kept chunk has changed');
        old.release();
        if (random(3) === 0) assert.throws(() => old.bytes, { code: /CHUNK_RELEASED/ });
      }
    },
  });
  const clients = Array.from({ length: 10 }, async () => {
    for (let round = 0; round < rounds; round++) {
      const socket = dial(listener.address.port, host);
      const bytes = blob(1 + random(200_000));
      assert.ok((await exchange(socket, bytes)).equals(bytes), 'the echo is wrong');
      socket.destroy();
    }
  });
  await Promise.all(clients);
  for (const { chunk, copy } of held) {
    assert.ok(chunk.bytes.equals(copy), 'a kept chunk has changed');
    chunk.release();
  }
  listener.destroy();
}

function ask(agent, port, body) {
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, agent, method: 'POST', path: `/${body.length}` }, (got) => {
      const parts = [];
      got.on('data', (part) => parts.push(part));
      got.on('end', () => resolve(Buffer.concat(parts)));
      got.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

async function http(rounds) {
  const server = await serve({
    host,
    port: 0,
    async handler(req, res) {
      const body = await req.body();
      if (random(2) === 0) await new Promise(setImmediate);
      res.end(body);
    },
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 10 });
  const clients = Array.from({ length: 10 }, async () => {
    for (let round = 0; round < rounds; round++) {
      const body = blob(random(4) === 0 ? 1 + random(200_000) : 1 + random(2_000));
      assert.ok((await ask(agent, server.address.port, body)).equals(body), 'the body is wrong');
    }
  });
  await Promise.all(clients);
  // Some who leave in the middle of their request.
  for (let i = 0; i < 20; i++) {
    const socket = dial(server.address.port, host);
    await once(socket, 'connect');
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n');
    socket.write(blob(1 + random(50_000)), () => socket.resetAndDestroy());
    await once(socket, 'close');
  }
  agent.destroy();
  server.destroy();
}

async function files(rounds) {
  const work = Array.from({ length: 8 }, async (_, i) => {
    const path = join(tmpdir(), `ringpoll-stress-${process.pid}-${threadId}-${i}`);
    for (let round = 0; round < rounds; round++) {
      const bytes = blob(1 + random(400_000));
      await writeFile(path, bytes);
      assert.ok((await readFile(path)).equals(bytes), 'the file is wrong');
    }
    await rm(path);
  });
  await Promise.all(work);
}

/** Workers that are terminated while everything is under way. */
async function terminated(count) {
  const running = Array.from({ length: count }, async (_, i) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { seed: i + 1 } });
    let left = random(6);
    worker.on('message', () => {
      if (left-- === 0) worker.terminate();
    });
    worker.on('error', (error) => {
      throw error;
    });
    await once(worker, 'exit');
  });
  await Promise.all(running);
}

async function part(name, work) {
  await work();
  console.log(`ok ${name}`);
}

async function runAll() {
  console.log(`engine ${Loop.current().engine}`);
  await part('echo', () => echo(8));
  await part('churn', () => churn(400));
  await part('kept', () => kept(8));
  await part('http', () => http(30));
  await part('files', () => files(10));
  await part('terminated', async () => {
    for (let round = 0; round < 4; round++) await terminated(3);
  });
  // The process ends with all of it under way, too.
  const listener = echoServer();
  for (let i = 0; i < 20; i++) dial(listener.address.port, host).write(blob(100_000));
  await once(dial(listener.address.port, host), 'connect');
  console.log('ok exit');
  process.exit(0);
}

/** In a worker: all at once, for ever, telling of each piece that is done. */
function runForEver() {
  const loop = async (work) => {
    for (;;) {
      await work();
      parentPort.postMessage('done');
    }
  };
  for (const work of [() => echo(1), () => kept(1), () => http(2), () => files(1)]) loop(work);
}

if (isMainThread) await runAll();
else runForEver();
