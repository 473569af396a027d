// Files on their way to a connection: every byte, in order, whatever page cache and peer do.
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import { Loop } from 'ringpoll';
import { type FileHandle, open, sendFile } from 'ringpoll/fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../support/fs_both.js';
import { evict } from '../support/fs_evict.js';
import type { Peer } from '../support/peer.js';
import { Random } from '../support/random.js';
import { codeOf, within } from '../support/recorder.js';
import { pair, pattern } from '../support/serve.js';

async function fileOf(bytes: Buffer): Promise<{ path: string; handle: FileHandle }> {
  const path = join(temporaryFolder(), 'file');
  nodeFs.writeFileSync(path, bytes);
  const handle = await open(path);
  onTestFinished(() => handle.close());
  return { path, handle };
}

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error as Error,
  );

/** All that the peer has got, once it is so much. */
async function bytesOf(peer: Peer, count: number): Promise<Buffer> {
  await peer.received(count);
  return Buffer.concat(peer.chunks);
}

const SIZES = [1, 100, 4096, 16_384, 16_385, 65_536, 1_000_000, 9_000_001];

describe('sendFile', () => {
  it.each(SIZES)(
    'sends %i bytes behind what was written before, ahead of the rest',
    async (size) => {
      const { server, peer } = await pair();
      const bytes = pattern(size);
      const { handle } = await fileOf(bytes);
      const { connection } = server;
      connection.write('head ');
      const sent = sendFile(connection, handle, 0, size);
      connection.write(' tail');
      const expected = Buffer.concat([Buffer.from('head '), bytes, Buffer.from(' tail')]);
      expect((await bytesOf(peer, expected.length)).equals(expected)).toBe(true);
      await within(sent, () => 'the end of sendFile');
      expect(connection.pendingBytes).toBe(0);
      expect(connection.bytesWritten).toBe(expected.length);
    },
  );

  it.each(SIZES)('sends %i bytes that are not in the page cache', async (size) => {
    const { server, peer } = await pair();
    const bytes = pattern(size);
    const { path, handle } = await fileOf(bytes);
    evict(path);
    server.connection.write('head ');
    const sent = sendFile(server.connection, handle, 0, size);
    server.connection.end(' tail');
    const expected = Buffer.concat([Buffer.from('head '), bytes, Buffer.from(' tail')]);
    await peer.untilEnd();
    expect(Buffer.concat(peer.chunks).equals(expected)).toBe(true);
    await sent;
  });

  it('sends parts, many of them, in the order of the calls', async () => {
    const { server, peer } = await pair();
    const bytes = pattern(500_000);
    const { path, handle } = await fileOf(bytes);
    const random = new Random(7);
    const expected: Buffer[] = [];
    const sent: Promise<void>[] = [];
    for (let i = 0; i < 60; i += 1) {
      const start = random.below(bytes.length);
      const length = random.below(random.chance(0.3) ? 200_000 : 5_000);
      const part = bytes.subarray(start, start + length);
      if (random.chance(0.2)) evict(path);
      sent.push(sendFile(server.connection, handle, start, part.length));
      expected.push(part);
      if (random.chance(0.5)) {
        const text = `<${i}>`;
        server.connection.write(text);
        expected.push(Buffer.from(text));
      }
      if (random.chance(0.3)) await immediate();
    }
    const all = Buffer.concat(expected);
    expect((await bytesOf(peer, all.length)).equals(all)).toBe(true);
    await Promise.all(sent);
  });

  it('counts as pending while the peer does not read, and lets drain wait', async () => {
    const { server, peer } = await pair();
    const bytes = pattern(20_000_000);
    const { handle } = await fileOf(bytes);
    peer.socket.pause();
    let done = false;
    const sent = sendFile(server.connection, handle, 0, bytes.length).then(() => {
      done = true;
    });
    for (let i = 0; i < 50; i += 1) await immediate();
    expect(done).toBe(false);
    expect(server.connection.pendingBytes).toBeGreaterThan(1_000_000);
    expect(server.connection.write('x')).toBe(false);
    peer.socket.resume();
    expect((await bytesOf(peer, bytes.length)).subarray(0, bytes.length).equals(bytes)).toBe(true);
    await sent;
    await server.until('drain');
  });

  it('waits behind a cork', async () => {
    const { server, peer } = await pair();
    const { handle } = await fileOf(Buffer.from('file'));
    server.connection.cork();
    const sent = sendFile(server.connection, handle, 0, 4);
    for (let i = 0; i < 10; i += 1) await immediate();
    expect(peer.bytes).toBe(0);
    server.connection.uncork();
    expect(await peer.received(4)).toBe('file');
    await sent;
  });

  it('sends to many connections at the same time', async () => {
    const bytes = pattern(300_000);
    const { path, handle } = await fileOf(bytes);
    const pairs = await Promise.all(Array.from({ length: 20 }, () => pair()));
    evict(path);
    const sent = pairs.map(({ server }) => sendFile(server.connection, handle, 0, bytes.length));
    for (const { peer } of pairs) {
      expect((await bytesOf(peer, bytes.length)).equals(bytes)).toBe(true);
    }
    await Promise.all(sent);
  });

  it('sends what sendfile(2) cannot: a file of /proc', async (context) => {
    context.skip(process.platform !== 'linux', 'a facility of Linux');
    const { server, peer } = await pair();
    const expected = nodeFs.readFileSync('/proc/version');
    const handle = await open('/proc/version');
    await sendFile(server.connection, handle, 0, expected.length);
    expect((await bytesOf(peer, expected.length)).equals(expected)).toBe(true);
    await handle.close();
  });

  it('lets the handle be closed at once: the file stays open until it has been sent', async () => {
    const { server, peer } = await pair();
    const bytes = pattern(5_000_000);
    const path = join(temporaryFolder(), 'file');
    nodeFs.writeFileSync(path, bytes);
    const handle = await open(path);
    const sent = sendFile(server.connection, handle, 0, bytes.length);
    const closing = handle.close();
    expect((await bytesOf(peer, bytes.length)).equals(bytes)).toBe(true);
    await Promise.all([sent, closing]);
  });
});

describe('sendFile fails', () => {
  it.each([10, 100_000])('when the file is shorter than promised (%i bytes)', async (size) => {
    const { server, peer } = await pair();
    const { handle } = await fileOf(pattern(size));
    const error = await rejection(sendFile(server.connection, handle, 0, size + 5));
    expect(codeOf(error)).toBe('ERR_RINGPOLL_FILE_TRUNCATED');
    server.connection.end('after');
    await peer.untilEnd();
    expect(peer.bytes).toBe(size + 5);
    expect(server.connection.pendingBytes).toBe(0);
  });

  it('when the connection is reset by the peer', async () => {
    const { server, peer } = await pair({ error() {} });
    const bytes = pattern(20_000_000);
    const { handle } = await fileOf(bytes);
    const sent = rejection(sendFile(server.connection, handle, 0, bytes.length));
    await peer.received(100_000);
    peer.reset();
    expect(codeOf(await within(sent, () => 'the failure'))).toBe('ERR_RINGPOLL_CONNECTION_CLOSED');
  });

  it('when the connection is reset here, also while the disk is read', async () => {
    const { path, handle } = await fileOf(pattern(3_000_000));
    for (let i = 0; i < 10; i += 1) {
      const { server } = await pair();
      evict(path);
      const sent = rejection(sendFile(server.connection, handle, 0, 3_000_000));
      if (i % 2 === 0) await immediate();
      server.connection.reset();
      const error = await within(sent, () => 'the failure');
      expect(codeOf(error)).toBe('ERR_RINGPOLL_CONNECTION_CLOSED');
    }
    await immediate();
    expect(Loop.current().metrics().bytesWritten).toBeGreaterThan(0);
  });

  it('on a connection that is over, or has ended', async () => {
    const { server, peer } = await pair();
    const { handle } = await fileOf(Buffer.from('file'));
    server.connection.end();
    const ended = await rejection(sendFile(server.connection, handle, 0, 4));
    expect(codeOf(ended)).toBe('ERR_RINGPOLL_WRITE_AFTER_END');
    peer.end();
    await server.until('close');
    const over = await rejection(sendFile(server.connection, handle, 0, 4));
    expect(codeOf(over)).toBe('ERR_RINGPOLL_CONNECTION_CLOSED');
  });

  it('with places that no file has, or a closed handle', async () => {
    const { server } = await pair();
    const { handle } = await fileOf(Buffer.from('file'));
    for (const [start, length] of [
      [-1, 2],
      [0, -2],
      [0, Number.NaN],
      [2 ** 50, 1],
    ]) {
      const error = await rejection(sendFile(server.connection, handle, start!, length!));
      expect(codeOf(error)).toBe('EINVAL');
    }
    await handle.close();
    const error = await rejection(sendFile(server.connection, handle, 0, 4));
    expect(codeOf(error)).toBe('EBADF');
  });
});

describe('handle.sendTo', () => {
  it('sends everything, or from start to end, both included', async () => {
    const { server, peer } = await pair();
    const { handle } = await fileOf(Buffer.from('0123456789'));
    await handle.sendTo(server.connection);
    await handle.sendTo(server.connection, { start: 2, end: 4 });
    await handle.sendTo(server.connection, { start: 8 });
    expect(await peer.received(15)).toBe('012345678923489');
  });
});
