// loop.faults(): what is delivered stays right, what fails says so, and a seed names a run.
import { connect, type FaultOptions, Loop } from 'ringpoll';
import { Client } from 'ringpoll/client';
import { serve as serveHttp } from 'ringpoll/http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { codeOf, Recorder } from '../support/recorder.js';
import { bothSides, pair, pattern, portOf, serve } from '../support/serve.js';
import { pair as certificate } from '../support/tls/certificate.js';

const loop = Loop.current();

function inject(options: FaultOptions) {
  const faults = loop.faults(options);
  onTestFinished(() => faults.stop());
  return faults;
}

describe('loop.faults()', () => {
  it('cuts reads: every byte arrives, in order, in pieces', async () => {
    const faults = inject({ shortReads: 0.9, seed: 1 });
    const { peer, server } = await pair();
    const sent = pattern(30_000);
    for (let at = 0; at < sent.length; at += 1000) {
      peer.send(sent.subarray(at, at + 1000));
      await server.received(at + 1000);
    }
    peer.send(pattern(400_000));
    peer.end();
    await server.until('end');
    const all = Buffer.concat([sent, pattern(400_000)]);
    expect(Buffer.concat(server.chunks).equals(all)).toBe(true);
    expect(faults.counts.shortReads).toBeGreaterThan(30);
    expect(server.count('data')).toBeGreaterThan(faults.counts.shortReads);
  });

  it('with 1, a message comes byte by byte at the end', async () => {
    inject({ shortReads: 1, seed: 2 });
    const { peer, server } = await pair();
    peer.send('abcdefgh');
    await server.received(8);
    expect(server.text).toBe('abcdefgh');
    expect(server.count('data')).toBeGreaterThan(1);
    expect(server.chunks.at(-1)!.length).toBe(1);
  });

  it('cuts writes, and refuses them memory: every byte arrives, drain and all', async () => {
    const faults = inject({ shortWrites: 0.5, enobufs: 0.2, seed: 3 });
    const sent = pattern(1_000_000);
    const { server, client } = await bothSides();
    for (let at = 0; at < sent.length; at += 50_000) {
      const more = client.connection.write(sent.subarray(at, at + 50_000));
      if (!more) await client.connection.drained();
    }
    client.connection.end();
    await server.until('end');
    expect(Buffer.concat(server.chunks).equals(sent)).toBe(true);
    expect(faults.counts.shortWrites).toBeGreaterThan(0);
    expect(faults.counts.enobufs).toBeGreaterThan(0);
  });

  it('delays bytes and the end, which stay in order', async () => {
    const faults = inject({ delays: { share: 1, min: 20, max: 30 }, seed: 4 });
    const { peer, server } = await pair();
    const began = performance.now();
    peer.send('first');
    await server.received(5);
    expect(performance.now() - began).toBeGreaterThanOrEqual(18);
    peer.send('second');
    peer.end();
    await server.until('end');
    expect(server.text).toBe('firstsecond');
    expect(faults.counts.delays).toBeGreaterThanOrEqual(2);
  });

  it('keeps what is delayed back from a connection that is paused', async () => {
    inject({ delays: { share: 1, min: 1, max: 1 }, seed: 5 });
    const { peer, server } = await pair();
    peer.send('a');
    await server.received(1);
    server.connection.pause();
    peer.send('b');
    const other = await pair();
    other.peer.send('cc');
    await other.server.received(2);
    expect(server.text).toBe('a');
    server.connection.resume();
    await server.received(2);
    expect(server.text).toBe('ab');
  });

  it('resets: both sides get ECONNRESET', async () => {
    const faults = inject({ resets: 1, connections: 'accepted', seed: 6 });
    const { server, client } = await bothSides();
    client.connection.write('x');
    await Promise.all([server.until('close'), client.until('close')]);
    expect(codeOf(server.closeError)).toBe('ECONNRESET');
    expect(codeOf(client.closeError)).toBe('ECONNRESET');
    expect(server.bytes).toBe(0);
    expect(faults.counts).toMatchObject({ resets: 1, refusals: 0 });
  });

  it('refuses connects', async () => {
    const faults = inject({ refusals: 1, seed: 7 });
    const listener = serve({ data() {} });
    const refused = connect({ host: '127.0.0.1', port: portOf(listener), data() {} });
    await expect(refused).rejects.toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect' });
    expect(faults.counts.refusals).toBe(1);
  });

  it('takes the side that is asked for', async () => {
    const faults = inject({ shortReads: 1, connections: 'outgoing', seed: 8 });
    const { server, client } = await bothSides({
      data: (connection) => connection.write('answer'),
    });
    client.connection.write('question');
    await client.received(6);
    expect(server.count('data')).toBe(1);
    expect(client.count('data')).toBeGreaterThan(1);
    expect(faults.counts.shortReads).toBe(client.count('data') - 1);
  });

  it('repeats a run by its seed, and no other connection changes it', async () => {
    const run = async (options: FaultOptions, others: number) => {
      const faults = inject(options);
      const { peer, server } = await pair();
      peer.send('m'.repeat(1000));
      const rest = Array.from({ length: others }, () => pair());
      await server.received(1000);
      for (const one of await Promise.all(rest)) {
        one.peer.send('other');
        await one.server.received(5);
      }
      faults.stop();
      return { seed: faults.seed, cuts: server.chunks.map((chunk) => chunk.length) };
    };
    const first = await run({ shortReads: 0.8 }, 0);
    expect(await run({ shortReads: 0.8, seed: first.seed }, 3)).toEqual(first);
    const cuts = new Set<string>();
    for (const seed of [1, 2, 3]) cuts.add(`${(await run({ shortReads: 1, seed }, 0)).cuts}`);
    expect(cuts.size).toBe(3);
  });

  it('stop() delivers what waits, and keeps the counts', async () => {
    const faults = inject({ delays: { share: 1, min: 60_000, max: 60_000 }, seed: 9 });
    const { peer, server } = await pair();
    peer.send('late');
    const { peer: other, server: witness } = await pair();
    other.send('x');
    while (faults.counts.delays < 2) await new Promise(setImmediate);
    expect(server.bytes + witness.bytes).toBe(0);
    faults.stop();
    await server.received(4);
    await witness.received(1);
    const { counts } = faults;
    expect(counts.delays).toBe(2);
    faults.stop();
    peer.send('now');
    await server.received(7);
    expect(faults.counts).toEqual(counts);
  });

  it('a connection that closes drops what waits', async () => {
    const faults = inject({ delays: { share: 1, min: 60_000, max: 60_000 }, seed: 10 });
    const { peer, server } = await pair();
    peer.send('never');
    while (faults.counts.delays < 1) await new Promise(setImmediate);
    server.connection.close();
    await server.until('close');
    expect(server.bytes).toBe(0);
    await peer.untilEnd();
  });

  it.each([
    ['HTTP', undefined],
    ['HTTPS', certificate],
  ])('leaves %s right: requests and answers in pieces', async (_, tls) => {
    const faults = inject({ shortReads: 0.7, shortWrites: 0.5, enobufs: 0.05, seed: 11 });
    const server = serveHttp({
      host: '127.0.0.1',
      port: 0,
      ...(tls && { tls }),
      handler: async (request, response) => response.end(await request.text()),
    });
    const client = new Client({ maxConnections: 4, ...(tls && { tls: { ca: tls.cert } }) });
    onTestFinished(async () => {
      await client.close();
      await server.stop();
    });
    const url = `${tls ? 'https' : 'http'}://127.0.0.1:${server.port}/`;
    const bodies = Array.from({ length: 40 }, (_, i) => `${i}`.repeat(i * 50 + 1));
    const answers = await Promise.all(
      bodies.map(async (body) => (await client.request(url, { method: 'POST', body })).text()),
    );
    expect(answers).toEqual(bodies);
    expect(faults.counts.shortReads).toBeGreaterThan(20);
  });

  it('a client repeats what resets allow, and says what it could not', async () => {
    const faults = inject({ resets: 0.05, connections: 'accepted', seed: 12 });
    const server = serveHttp({ host: '127.0.0.1', port: 0, handler: (_, res) => res.end('ok') });
    const client = new Client();
    onTestFinished(async () => {
      faults.stop();
      client.destroy();
      await server.stop();
    });
    const told = new Map<string, number>();
    for (let i = 0; i < 200; i++) {
      const answer = client.request(`http://127.0.0.1:${server.port}/`).then(
        (response) => response.text(),
        (error) => codeOf(error)!,
      );
      const said = await answer;
      told.set(said, (told.get(said) ?? 0) + 1);
    }
    expect(faults.counts.resets).toBeGreaterThan(3);
    expect(told.get('ok')).toBeGreaterThan(150);
    for (const said of told.keys()) {
      expect(said).toMatch(/^(ok|ECONNRESET|ERR_RINGPOLL_(NO_RESPONSE|RESPONSE_TRUNCATED))$/);
    }
  });

  it('using stops them at the end of the block', () => {
    {
      using faults = loop.faults({});
      expect(faults.counts).toEqual({
        ...{ shortReads: 0, shortWrites: 0, resets: 0 },
        ...{ enobufs: 0, delays: 0, refusals: 0 },
      });
    }
    loop.faults({}).stop();
  });

  it('runs once in a thread', () => {
    inject({});
    expect(() => loop.faults({})).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_FAULTS_RUNNING' }),
    );
  });

  it.each([
    [undefined, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ resets: 2 }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    [{ shortReads: '1' }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ seed: -1 }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    [{ connections: 'server' }, 'ERR_RINGPOLL_INVALID_ARG_VALUE'],
    [{ delays: { share: 1, min: 20, max: 10 } }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    [{ delays: { share: 1, maximum: 10 } }, 'ERR_RINGPOLL_UNKNOWN_OPTION'],
    [{ drops: 0.1 }, 'ERR_RINGPOLL_UNKNOWN_OPTION'],
  ])('refuses %o, and nothing has begun', (options, code) => {
    expect(() => loop.faults(options as FaultOptions)).toThrow(expect.objectContaining({ code }));
    loop.faults({}).stop();
  });
});

describe('loop.faults() before a connection is known', () => {
  it('numbers connections that were open when it began', async () => {
    const { peer, server } = await pair();
    peer.send('before');
    await server.received(6);
    const faults = inject({ shortReads: 1, seed: 13 });
    peer.send('after');
    await server.received(11);
    expect(server.text).toBe('beforeafter');
    expect(faults.counts.shortReads).toBeGreaterThan(0);
    expect(server).toBeInstanceOf(Recorder);
  });
});
