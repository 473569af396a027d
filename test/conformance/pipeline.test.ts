import {
  type Connection,
  Loop,
  type PipelineOptions,
  type PipelineReport,
  pipeline,
} from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { connectPeer, type Peer, PeerServer } from '../support/peer.js';
import { Random } from '../support/random.js';
import { within } from '../support/recorder.js';
import { addressOf, dial, pattern, portOf, serve } from '../support/serve.js';
import { dialNode, serveTls } from '../support/tls/both.js';

interface Piped {
  /** Plain sockets at both ends. */
  client: Peer;
  target: Peer;
  /** Our connections between them. */
  first: Connection;
  second: Connection;
  /** What became of the pipeline. */
  over: Promise<PipelineReport>;
  /** Events that a handler of ours has heard. */
  heard: string[];
}

interface Before {
  first?: Connection;
  second?: Connection;
}

interface Setting extends PipelineOptions {
  /** Runs just before pipeline(). */
  before?(both: Required<Before>): void;
  targetPaused?: boolean;
  idleTimeout?: number;
}

/** client - first | second - target: what the client sends comes to the target, and back. */
async function piped({ before, targetPaused, idleTimeout, ...options }: Setting = {}) {
  const backend = await PeerServer.listen({ pauseOnConnect: targetPaused });
  const heard: string[] = [];
  const recording = (side: string) => ({
    data: () => void heard.push(`${side} data`),
    end: () => void heard.push(`${side} end`),
    drain: () => void heard.push(`${side} drain`),
    close: () => void heard.push(`${side} close`),
  });
  return new Promise<Piped>((resolve, reject) => {
    const listener = serve({
      ...recording('first'),
      idleTimeout,
      async open(first) {
        first.pause();
        const second = await dial({ port: backend.port, ...recording('second') });
        const target = await backend.next();
        before?.({ first, second });
        const over = pipeline(first, second, options);
        over.catch(() => {});
        const client = await connected;
        resolve({ client, target, first, second, over, heard });
      },
      error: (_, error) => reject(error),
    });
    const connected = connectPeer(addressOf(listener));
  });
}

const ended = <T>(promise: Promise<T>): Promise<T> => within(promise, () => 'the end');
const WAYS = ['auto', 'always', 'never'] as const;
/** A pipe, or what may wait here and what one turn brings: for the ring, all of its buffers. */
const HELD_BYTES_MAX = (process.env.RINGPOLL_RECEIVE === 'completion' ? 2560 : 768) * 1024;
const maySplice = process.platform === 'linux' && process.env.RINGPOLL_RECEIVE !== 'completion';

describe('a pipeline', () => {
  it.each(WAYS)('passes bytes on both ways, and both ends (splice: %s)', async (splice) => {
    const { client, target, over, heard } = await piped({ splice });
    const [up, down] = [pattern(3_000_000, 1), pattern(2_000_000, 2)];
    client.send(up);
    target.send(down);
    client.end();
    await target.untilEnd();
    expect(Buffer.concat(target.chunks).equals(up)).toBe(true);
    target.end('.');
    await client.untilEnd();
    expect(Buffer.concat(client.chunks).subarray(0, -1).equals(down)).toBe(true);
    const { forwardBytes, backwardBytes, splicedBytes } = await ended(over);
    expect([forwardBytes, backwardBytes]).toEqual([up.length, down.length + 1]);
    if (splice === 'never' || !maySplice) expect(splicedBytes).toBe(0);
    else if (splice === 'always') expect(splicedBytes).toBeGreaterThan(0);
    expect(heard.sort()).toEqual(['first close', 'second close']);
  });

  it('passes on what came before it, in order, whether or not a handler had seen it', async () => {
    const backend = await PeerServer.listen();
    let over: Promise<PipelineReport> | undefined;
    let sent: () => void = () => {};
    const peerSent = new Promise<void>((resolve) => {
      sent = resolve;
    });
    const listener = serve({
      async data(first, chunk) {
        first.pause();
        const head = chunk.copy();
        const second = await dial({ port: backend.port });
        second.write(head);
        await peerSent;
        over = pipeline(first, second);
      },
    });
    const client = await connectPeer(addressOf(listener));
    client.send('a');
    const target = await backend.next();
    client.send('b'.repeat(100_000));
    client.socket.write('c', () => sent());
    client.end('d');
    await target.untilEnd();
    expect(target.text).toBe(`a${'b'.repeat(100_000)}cd`);
    target.end();
    const { forwardBytes } = await ended(over as unknown as Promise<PipelineReport>);
    expect(forwardBytes).toBe(100_002);
  });

  it('goes on one way when the other one has ended', async () => {
    const { client, target, over } = await piped();
    client.end('question');
    expect(await target.untilEnd()).toBe('question');
    const answer = pattern(1_000_000);
    target.send(answer);
    await client.received(answer.length);
    expect(client.ended).toBe(false);
    target.end();
    await client.untilEnd();
    expect(Buffer.concat(client.chunks).equals(answer)).toBe(true);
    await ended(over);
  });

  it('resets the other peer when one resets, and rejects', async () => {
    const { client, target, over, first, second } = await piped();
    client.send('x');
    await target.received(1);
    client.reset();
    await target.untilClosed();
    expect(target.error?.code).toBe('ECONNRESET');
    await expect(ended(over)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect([first.readyState, second.readyState]).toEqual(['closed', 'closed']);
  });

  it('closes the other one, with all that waits for it, when one is closed here', async () => {
    const { client, target, over, first } = await piped({ targetPaused: true });
    const sent = pattern(500_000);
    client.send(sent);
    while (first.bytesRead < sent.length) await new Promise(setImmediate);
    first.close();
    target.socket.resume();
    await target.untilEnd();
    await client.untilOver();
    expect(Buffer.concat(target.chunks).equals(sent)).toBe(true);
    target.end();
    await ended(over);
  });

  it('ends when both are destroyed in one turn', async () => {
    const { client, target, over, first, second } = await piped();
    client.send(pattern(200_000));
    target.send(pattern(200_000));
    await target.received(1);
    first.destroy();
    second.reset();
    await ended(over);
    await Promise.all([client.untilOver(), target.untilClosed()]);
  });

  it('ends with the reason of its signal', async () => {
    const stop = new AbortController();
    const { client, target, over } = await piped({ signal: stop.signal });
    client.send('x');
    await target.received(1);
    stop.abort(new Error('enough'));
    await expect(ended(over)).rejects.toThrow('enough');
    await Promise.all([client.untilOver(), target.untilOver()]);
  });

  it('stops with pause(), and goes on with resume()', async () => {
    const { client, target, first, over } = await piped();
    first.pause();
    client.send('later');
    target.send('now');
    expect(await client.received(3)).toBe('now');
    expect(target.bytes).toBe(0);
    first.resume();
    expect(await target.received(5)).toBe('later');
    client.end();
    target.end();
    await ended(over);
  });

  it('is idle when no byte moves, and closes both', async () => {
    const { client, target, over } = await piped({ idleTimeout: 40 });
    client.send('x');
    await target.received(1);
    await expect(ended(over)).rejects.toMatchObject({ code: 'ERR_RINGPOLL_IDLE_TIMEOUT' });
    await Promise.all([client.untilOver(), target.untilOver()]);
  });

  it('goes on by another route, and back', async () => {
    const { client, target, first, second, over } = await piped();
    const sent = pattern(4_000_000);
    for (let at = 0, step = 0; at < sent.length; at += 400_000, step++) {
      client.send(sent.subarray(at, at + 400_000));
      const route = (['completion', 'poll', 'readiness'] as const)[step % 3];
      first.setRoute(route);
      second.setRoute(route);
      await target.received(at + 300_000);
    }
    client.end();
    await target.untilEnd();
    expect(Buffer.concat(target.chunks).equals(sent)).toBe(true);
    target.end();
    await ended(over);
  });
});

describe('a pipeline from TLS', () => {
  it('passes on what is inside of it, never spliced, and holds its writer back', async () => {
    const backend = await PeerServer.listen({ pauseOnConnect: true });
    let first: Connection | undefined;
    let over: Promise<PipelineReport> | undefined;
    const listener = serveTls({
      async open(client) {
        client.pause();
        first = client;
        over = pipeline(client, await dial({ port: backend.port }), { splice: 'always' });
      },
    });
    const client = await dialNode(portOf(listener));
    const sent = pattern(16_000_000);
    client.send(sent);
    const target = await backend.next();
    let before = -1;
    while (first === undefined || first.bytesRead > before) {
      before = first?.bytesRead ?? -1;
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    }
    expect(first.bytesRead).toBeLessThan(sent.length);
    target.socket.resume();
    client.end();
    await target.untilEnd();
    expect(Buffer.concat(target.chunks).equals(sent)).toBe(true);
    target.end('bye');
    expect(await client.untilEnd()).toBe('bye');
    const report = await ended(over as unknown as Promise<PipelineReport>);
    expect(report).toEqual({ forwardBytes: sent.length, backwardBytes: 3, splicedBytes: 0 });
  });
});

describe('a slow reader', () => {
  it.each(['always', 'never'] as const)(
    'holds back its own writer, not others (splice: %s)',
    async (splice) => {
      const slow = await piped({ splice, targetPaused: true });
      const honest = await piped({ splice });
      const flood = pattern(24_000_000);
      slow.client.send(flood);
      let before = -1;
      // Until nothing moves any more: both kernels' buffers are full, and ours at its limit.
      while (slow.first.bytesRead > before) {
        before = slow.first.bytesRead;
        honest.client.send('x'.repeat(50_000));
        await honest.target.received(honest.target.bytes + 50_000);
        await new Promise(setImmediate);
      }
      const held = slow.first.bytesRead - slow.second.bytesWritten;
      expect(held).toBeLessThanOrEqual(HELD_BYTES_MAX);
      expect(slow.first.bytesRead).toBeLessThan(flood.length);
      slow.target.socket.resume();
      slow.client.end();
      await slow.target.untilEnd();
      expect(Buffer.concat(slow.target.chunks).equals(flood)).toBe(true);
      slow.target.end();
      await ended(slow.over);
    },
  );
});

describe('what is refused', () => {
  it('is a connection that is in a pipeline, with its cause and cure', async () => {
    const { first, second, client, target, over } = await piped();
    const code = 'ERR_RINGPOLL_PIPED';
    for (const call of [
      () => pipeline(first, second),
      () => first.write('x'),
      () => first.tryWrite('x'),
      () => second.end(),
      () => second.cork(),
      () => first[Symbol.asyncIterator](),
      () => second.toDuplex(),
    ]) {
      expect(call).toThrowError(expect.objectContaining({ code }));
    }
    client.end('still goes');
    expect(await target.untilEnd()).toBe('still goes');
    target.end();
    await ended(over);
  });

  it('is what is no connection, the same one twice, and an unknown option', async () => {
    const listener = serve({});
    const one = await dial({ ...addressOf(listener) });
    const other = await dial({ ...addressOf(listener) });
    const bad = (call: () => unknown, code: string) =>
      expect(call).toThrowError(expect.objectContaining({ code }));
    bad(() => pipeline(one, {} as never), 'ERR_RINGPOLL_INVALID_ARG_TYPE');
    bad(() => pipeline(one, one), 'ERR_RINGPOLL_INVALID_ARG_VALUE');
    bad(() => pipeline(one, other, { splice: 'yes' as never }), 'ERR_RINGPOLL_INVALID_ARG_VALUE');
    bad(() => pipeline(one, other, { signal: 1 as never }), 'ERR_RINGPOLL_INVALID_ARG_TYPE');
    bad(() => pipeline(one, other, { copy: true } as never), 'ERR_RINGPOLL_UNKNOWN_OPTION');
    one[Symbol.asyncIterator]();
    bad(() => pipeline(one, other), 'ERR_RINGPOLL_NOT_PIPEABLE');
    const third = await dial({ ...addressOf(listener) });
    third.end();
    bad(() => pipeline(third, other), 'ERR_RINGPOLL_NOT_PIPEABLE');
  });

  it('is one that is over: the other one is closed', async () => {
    const { target, over } = await piped({ before: ({ first }) => first.destroy() });
    await expect(ended(over)).rejects.toMatchObject({ code: 'ERR_RINGPOLL_CONNECTION_CLOSED' });
    await target.untilEnd();
  });
});

const seed = Number(process.env.RINGPOLL_SEED ?? Date.now() % 2 ** 32);

describe('many pipelines', () => {
  it(`give every byte to its peer, at random sizes, ends and resets (seed ${seed})`, async () => {
    const random = new Random(seed);
    const { bytesSpliced } = Loop.current().metrics();
    await Promise.all(
      Array.from({ length: 24 }, async (_, index) => {
        const splice = WAYS[random.below(WAYS.length)];
        const { client, target, over } = await piped({ splice });
        const resets = random.below(4) === 0;
        const ways = [
          { from: client, to: target, sent: pattern(random.below(700_000), 2 * index + 1) },
          { from: target, to: client, sent: pattern(random.below(700_000), 2 * index + 2) },
        ];
        await Promise.all(
          ways.map(async ({ from, to, sent }) => {
            for (let at = 0; at < sent.length; ) {
              const size = 1 + random.below(random.below(2) === 0 ? 2_000 : 200_000);
              from.send(sent.subarray(at, at + size));
              at += size;
              if (random.below(3) === 0) await new Promise(setImmediate);
            }
            if (resets && from === client) {
              await to.received(Math.floor(sent.length / 2));
              from.reset();
              return;
            }
            from.end();
            if (!resets) await to.untilEnd();
          }),
        );
        if (resets) {
          // node:net sends a FIN before its RST. Where both have ended by then, all has gone well.
          const report = await ended(over).catch(() => undefined);
          const got = Buffer.concat(target.chunks);
          expect(got.equals(ways[0].sent.subarray(0, got.length))).toBe(true);
          if (report !== undefined) expect(got.length).toBe(ways[0].sent.length);
          return;
        }
        const report = await ended(over);
        for (const { to, sent } of ways) expect(Buffer.concat(to.chunks).equals(sent)).toBe(true);
        expect(report.forwardBytes + report.backwardBytes).toBe(
          ways[0].sent.length + ways[1].sent.length,
        );
      }),
    );
    if (maySplice) {
      expect(Loop.current().metrics().bytesSpliced).toBeGreaterThan(bytesSpliced);
    }
  });
});
