// One long write to a peer that does not read: it stays where it is, but for a window of it, and
// everything later waits behind it in order.
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import type { Connection } from 'ringpoll';
import { open, sendFile } from 'ringpoll/fs';
import type { ServeOptions } from 'ringpoll/http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../support/fs_both.js';
import { HttpClient, parseAnswers, requestText, serveHttp } from '../support/http.js';
import { connectPeer, type Peer } from '../support/peer.js';
import { Random } from '../support/random.js';
import { codeOf, within } from '../support/recorder.js';
import { addressOf, pair, pattern, serve } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

const KB = 1024;
const MB = 1024 * KB;
/** More than the kernel takes of a peer that does not read. */
const LARGE = pattern(24 * MB);
const READERS = 20;
/** Of all of them: a window and a half each, in blocks that lie in slabs, and some garbage. */
const GROWTH_MAX = 32 * MB;

const memory = () => {
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
};

/** A peer that reads nothing until it is told to. */
async function stalled(address: Parameters<typeof connectPeer>[0]): Promise<Peer> {
  const peer = await connectPeer(address);
  peer.socket.pause();
  return peer;
}

const gathered = (peer: Peer) => Buffer.concat(peer.chunks);
/** Without a diff of megabytes. */
const same = (peer: Peer, expected: Uint8Array) => gathered(peer).equals(expected);

describe('twenty peers that do not read one large buffer', () => {
  const ways: [string, (connection: Connection) => void][] = [
    ['write()', (connection) => void connection.write(LARGE)],
    ['end()', (connection) => connection.end(LARGE)],
    [
      'close()',
      (connection) => {
        connection.write(LARGE);
        connection.close();
      },
    ],
    ['writev()', (connection) => void connection.writev(['head', LARGE, 'tail'])],
  ];

  it.each(ways)('cost a window each: %s', async (_, send) => {
    const began: Connection[] = [];
    const listener = serve({
      data: (connection, chunk) => void connection.write(chunk),
      open(connection) {
        if (began.length < READERS) began.push(connection);
      },
    });
    const peers = [];
    for (let count = 0; count < READERS; count += 1) peers.push(await stalled(addressOf(listener)));
    await roundTrips();
    const honest = await connectPeer(addressOf(listener));
    const before = memory();
    for (const connection of began) send(connection);
    for (let round = 1; round <= 10; round += 1) {
      honest.send('x');
      await honest.received(round);
    }
    expect((memory() - before) / MB).toBeLessThan(GROWTH_MAX / MB);
    for (const connection of began) {
      expect(connection.pendingBytes).toBeGreaterThan(LARGE.length / 4);
    }
    peers[0]!.socket.resume();
    await peers[0]!.received(LARGE.length);
    for (const peer of peers) peer.reset();
  });

  const faces: [string, ServeOptions['handler']][] = [
    ['response.end()', (_, response) => response.end(LARGE)],
    ['response.write()', (_, response) => void response.write(LARGE)],
  ];

  it.each(faces)('cost a window each: %s', async (_, handler) => {
    const server = serveHttp({
      handler(request, response) {
        if (request.path === '/little') response.end('little');
        else return handler?.(request, response);
      },
    });
    const honest = await HttpClient.connect(server);
    const peers = [];
    for (let count = 0; count < READERS; count += 1) {
      peers.push(await stalled({ port: server.port as number }));
    }
    expect((await honest.get('/little')).body).toBe('little');
    const before = memory();
    for (const peer of peers) peer.send(requestText('GET', '/large'));
    for (let round = 0; round < 10; round += 1) {
      expect((await honest.get('/little')).body).toBe('little');
    }
    expect((memory() - before) / MB).toBeLessThan(GROWTH_MAX / MB);
    peers[0]!.socket.resume();
    await peers[0]!.received(LARGE.length);
    for (const peer of peers) peer.reset();
  });
});

describe('what is asked for behind a long write', () => {
  it('leaves in order: text, bytes, pieces, another long one, a file, the end', async () => {
    const { server, peer } = await pair();
    peer.socket.pause();
    const { connection } = server;
    const path = join(temporaryFolder(), 'file');
    nodeFs.writeFileSync(path, pattern(300_000, 2));
    const handle = await open(path);
    onTestFinished(() => handle.close());
    expect(connection.write(LARGE)).toBe(false);
    const bytes = Buffer.from('bytes');
    expect(connection.write(bytes)).toBe(false);
    bytes.fill(0); // few bytes are copied: their memory is free again
    connection.writev(['text ä', pattern(200_000, 3)]);
    const sending = sendFile(connection, handle, 0, 300_000);
    for (let count = 0; count < 1000; count += 1) connection.write('.');
    connection.write(pattern(3 * MB, 4));
    connection.end('last');
    expect(connection.tryWrite.bind(connection, 'x')).toThrow('write after end');
    const expected = Buffer.concat([
      ...[LARGE, Buffer.from('bytestext ä'), pattern(200_000, 3), pattern(300_000, 2)],
      ...[Buffer.from('.'.repeat(1000)), pattern(3 * MB, 4), Buffer.from('last')],
    ]);
    expect(connection.pendingBytes + connection.bytesWritten).toBe(expected.length);
    await roundTrips();
    expect(peer.ended).toBe(false);
    expect(connection.pendingBytes + connection.bytesWritten).toBe(expected.length);
    peer.socket.resume();
    await peer.untilEnd();
    expect(peer.bytes).toBe(expected.length);
    expect(same(peer, expected)).toBe(true);
    await within(sending, () => 'sendFile');
    expect([connection.pendingBytes, connection.bytesWritten]).toEqual([0, expected.length]);
  });

  it('is nothing for tryWrite(), and drained() waits until all of it is native', async () => {
    const { server, peer } = await pair();
    peer.socket.pause();
    const { connection } = server;
    const mine = Buffer.from(LARGE);
    expect(connection.write(mine)).toBe(false);
    expect(connection.tryWrite('x')).toBe(0);
    let isDrained = false;
    const drained = connection.drained().then(() => {
      mine.fill(0); // now it is the owner's again
      isDrained = true;
    });
    await roundTrips();
    expect([isDrained, server.count('drain')]).toEqual([false, 0]);
    peer.socket.resume();
    await within(drained, () => 'drained');
    expect(server.count('drain')).toBe(1);
    expect(connection.write('end')).toBe(true);
    connection.end();
    await peer.untilEnd();
    expect(same(peer, Buffer.concat([LARGE, Buffer.from('end')]))).toBe(true);
  });

  it('is copied where write() answers true: up to highWaterMark', async () => {
    const { server, peer } = await pair({}, { highWaterMark: 2 * LARGE.length });
    peer.socket.pause();
    const mine = Buffer.from(LARGE);
    expect(server.connection.write(mine)).toBe(true);
    mine.fill(0);
    server.connection.end();
    peer.socket.resume();
    await peer.untilEnd();
    expect(same(peer, LARGE)).toBe(true);
  });

  it('is sent by close() too, and dropped by reset()', async () => {
    const closing = await pair();
    closing.peer.socket.pause();
    closing.server.connection.write(LARGE);
    closing.server.connection.write('behind');
    closing.server.connection.close();
    await roundTrips();
    expect(closing.server.count('close')).toBe(0);
    closing.peer.socket.resume();
    await closing.peer.untilEnd();
    expect(same(closing.peer, Buffer.concat([LARGE, Buffer.from('behind')]))).toBe(true);
    await closing.server.until('close');

    const resetting = await pair();
    resetting.peer.socket.pause();
    resetting.server.connection.write(LARGE);
    const drained = resetting.server.connection.drained().catch(codeOf);
    resetting.server.connection.reset();
    expect(resetting.server.connection.pendingBytes).toBeLessThanOrEqual(256 * KB);
    await resetting.server.until('close');
    expect(resetting.server.connection.pendingBytes).toBe(0);
    expect(await drained).toBe('ERR_RINGPOLL_CONNECTION_CLOSED');
  });

  it('is over when the peer goes: drained() and sendFile() reject', async () => {
    const { server, peer } = await pair();
    peer.socket.pause();
    const { connection } = server;
    const path = join(temporaryFolder(), 'file');
    nodeFs.writeFileSync(path, 'file');
    const handle = await open(path);
    onTestFinished(() => handle.close());
    connection.write(LARGE);
    const both = Promise.allSettled([connection.drained(), sendFile(connection, handle, 0, 4)]);
    connection.end();
    peer.reset();
    await server.until('close');
    const settled = await within(both, () => 'drained() and sendFile()');
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(connection.pendingBytes).toBe(0);
  });

  it('waits for uncork(), which end() is too', async () => {
    const { server, peer } = await pair();
    const { connection } = server;
    connection.cork();
    connection.write('head');
    expect(connection.write(LARGE)).toBe(false);
    await roundTrips();
    expect([peer.bytes, connection.bytesWritten]).toEqual([0, 0]);
    connection.end('tail');
    await peer.untilEnd();
    const expected = Buffer.concat([Buffer.from('head'), LARGE, Buffer.from('tail')]);
    expect(same(peer, expected)).toBe(true);
  });

  it('ends with an error when its memory is given away meanwhile', async () => {
    const errors: unknown[] = [];
    const { server, peer } = await pair({ error: (_, error) => errors.push(codeOf(error)) });
    peer.socket.pause();
    const mine = new Uint8Array(LARGE);
    server.connection.write(mine);
    structuredClone(mine.buffer, { transfer: [mine.buffer] });
    peer.socket.resume();
    await server.until('close');
    expect(errors).toEqual(['ERR_RINGPOLL_BUFFER_DETACHED']);
    expect(peer.bytes).toBeLessThan(LARGE.length);
  });

  it('of HTTP are the answers to later requests, and each is whole', async () => {
    const server = serveHttp({
      async handler(request, response) {
        if (request.path === '/whole') return response.end(LARGE);
        if (request.path === '/small') return response.end('small');
        response.header('Content-Type', 'a/b').write('head');
        response.write(LARGE);
        response.write('between');
        await response.drained();
        response.end(LARGE);
      },
    });
    const client = await HttpClient.connect(server);
    client.peer.socket.pause();
    const paths = ['/whole', '/small', '/pieces', '/small', '/whole'];
    client.send(paths.map((path) => requestText('GET', path)).join(''));
    client.peer.end();
    await roundTrips();
    client.peer.socket.resume();
    const answers = parseAnswers(await client.peer.untilEnd());
    const large = LARGE.toString('latin1');
    const bodies = [large, 'small', `head${large}between${large}`, 'small', large];
    expect(answers.map(({ body }) => body.length)).toEqual(bodies.map(({ length }) => length));
    expect(answers.every(({ body }, at) => body === bodies[at])).toBe(true);
  });
});

describe('random writes to a peer that reads by fits and starts', () => {
  it.each([1, 2, 3, 4])('arrive as they were made: seed %i', async (seed) => {
    const random = new Random(seed);
    const { server, peer } = await pair();
    const { connection } = server;
    const written: Uint8Array[] = [];
    for (let step = 0; step < 60; step += 1) {
      const kind = random.below(8);
      const most = [20, 40_000, 300_000, 6 * MB][random.below(4)]!;
      const bytes = pattern(1 + random.below(most), seed * 1000 + step);
      if (kind === 0) await immediate();
      else if (kind === 1) peer.socket.isPaused() ? peer.socket.resume() : peer.socket.pause();
      else if (kind === 2) connection.cork(() => void connection.write(bytes));
      else if (kind === 3) connection.write(bytes.toString('latin1'));
      else connection.write(bytes);
      if (kind === 3) written.push(Buffer.from(bytes.toString('latin1'), 'utf8'));
      else if (kind > 1) written.push(bytes);
    }
    connection.end();
    peer.socket.resume();
    await peer.untilEnd();
    expect(same(peer, Buffer.concat(written))).toBe(true);
  });
});
