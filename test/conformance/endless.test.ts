// Producers that wait for nothing but promises, beside one honest client. The server is a process
// of its own: one that is starved could not tell.
import { describe, expect, it } from 'vitest';
import { connectPeer, type Peer } from '../support/peer.js';
import { startProgram } from '../support/program.js';

/** A starved server never answers; a busy machine may take its time. */
const ANSWER_MS_MAX = 2000;
const MB = 1024 * 1024;

interface State {
  ended: number;
  turns: number;
  longestMs: number;
}

interface Served {
  port: number;
  /** Asks on a new connection, as the honest client. */
  state(): Promise<State>;
}

async function start(producer: string): Promise<Served> {
  const program = startProgram('endless', { args: [producer] });
  const line = await program.line();
  const [, port, statePort] = /^ready (\d+) (\d+)$/.exec(line) ?? [];
  if (statePort === undefined) throw new Error(`expected "ready PORT STATE_PORT", got "${line}"`);
  const state = async () => {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    const answer = await fetch(`http://127.0.0.1:${statePort}/`, { signal });
    return (await answer.json()) as State;
  };
  return { port: Number(port), state };
}

async function untilEnded({ state }: Served, times = 1): Promise<void> {
  const deadline = Date.now() + ANSWER_MS_MAX;
  for (let seen = await state(); seen.ended < times; seen = await state()) {
    if (Date.now() > deadline) throw new Error(`${seen.ended} producers have ended`);
    await new Promise(setImmediate);
  }
}

async function ask(served: Served, path = '/'): Promise<Peer> {
  const peer = await connectPeer({ port: served.port });
  peer.send(`GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`);
  return peer;
}

/** Producers, and the bytes of their output that are worth waiting for. */
const PRODUCERS: [string, string, number][] = [
  ['write', '/', 30 * MB],
  ['bytes', '/', MB],
  ['large', '/', 30 * MB],
  ['swallow', '/', 30 * MB],
  ['generator', '/', 30 * MB],
  ['pull', '/', 30 * MB],
  ['readable', '/', 30 * MB],
  ['transform', '/', 30 * MB],
  ['hono', '/stream', 10 * MB],
  ['hono', '/sse', MB],
  ['raw-write', '/', 30 * MB],
  ['raw-try', '/', 30 * MB],
  ['raw-drain', '/', 30 * MB],
  ['raw-iterator', '/', 30 * MB],
];

describe.each(PRODUCERS)('an endless producer (%s, %s)', (producer, path, bytes) => {
  it('leaves the loop to others while its client reads, and ends when it leaves', async () => {
    const served = await start(producer);
    const peer = await ask(served, path);
    await peer.received(1);
    await served.state(); // what came before does not count
    let longestMs = 0;
    let questions = 0;
    do {
      ({ longestMs } = await served.state());
      expect(longestMs).toBeLessThan(ANSWER_MS_MAX);
      questions += 1;
    } while (peer.bytes < bytes || questions < 10);
    peer.reset();
    await untilEnded(served);
  });

  it('ends when its client leaves without having read', async () => {
    const served = await start(producer);
    const peers = await Promise.all(Array.from({ length: 5 }, () => ask(served, path)));
    for (const peer of peers) {
      peer.socket.pause();
      peer.reset();
    }
    // Whoever left before the answer began never had a producer, or has ended it.
    await served.state();
    const last = await ask(served, path);
    await last.received(1);
    last.socket.pause();
    last.reset();
    await untilEnded(served);
    expect((await served.state()).longestMs).toBeLessThan(ANSWER_MS_MAX);
  });
});

describe('a finite producer', () => {
  it('of 200 MB lets the loop turn meanwhile, and loses nothing', async () => {
    const served = await start('finite');
    const before = await served.state();
    const peer = await ask(served);
    peer.socket.on('data', () => peer.forget());
    await peer.received(200 * MB);
    await untilEnded(served);
    expect((await served.state()).turns - before.turns).toBeGreaterThan(200);
  });
});

describe('a producer of nothing', () => {
  it('leaves the loop to others', async () => {
    const served = await start('nothing');
    const peer = await ask(served);
    await peer.received(1);
    for (let question = 0; question < 10; question += 1) {
      expect((await served.state()).longestMs).toBeLessThan(ANSWER_MS_MAX);
    }
    peer.reset();
    await untilEnded(served);
  });
});
