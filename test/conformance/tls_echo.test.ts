// Bytes over TLS: unchanged, whatever their number, their pieces and the version.
import { describe, expect, it } from 'vitest';
import { Recorder } from '../support/recorder.js';
import { bothSides, dial, pattern } from '../support/serve.js';
import { cert, key, NAME, nodeToOurs, serveNode, VERSIONS } from '../support/tls/both.js';

const SIZES = [1, 2, 63, 1000, 16_383, 16_384, 16_385, 65_537, 262_144, 1_048_577, 8_388_608];

const echoing = {
  data: (connection: { write(chunk: never): unknown }, chunk: unknown) =>
    connection.write(chunk as never),
};

describe.each(VERSIONS)('%s', (version) => {
  const versions = { minVersion: version, maxVersion: version };

  it.each(SIZES)('node:tls gets %i bytes back from a listener', async (size) => {
    const { peer, server } = await nodeToOurs(version, echoing);
    const sent = pattern(size);
    peer.send(sent);
    await peer.received(size);
    expect(Buffer.concat(peer.chunks).equals(sent)).toBe(true);
    expect(server.connection.tls?.protocol).toBe(version);
  });

  it.each(SIZES)('connect() gets %i bytes back from node:tls', async (size) => {
    const port = await serveNode(versions, (socket) => socket.pipe(socket));
    const client = new Recorder();
    const tls = { ca: cert, servername: NAME };
    const connection = await dial({ port, tls, ...client.recording });
    const sent = pattern(size);
    connection.write(sent);
    await client.received(size);
    expect(Buffer.concat(client.chunks).equals(sent)).toBe(true);
    expect(connection.tls?.protocol).toBe(version);
    expect(connection.tls?.authorized).toBe(true);
    expect(connection.tls?.peerCertificate()?.subject).toBe(`CN=${NAME}`);
  });

  it('the package on both sides exchanges much, both ways at once', async () => {
    const { client, server } = await bothSides(
      {},
      {},
      { tls: { key, cert, ...versions } },
      { tls: { ca: cert, servername: NAME } },
    );
    const up = pattern(3_000_000, 2);
    const down = pattern(5_000_000, 3);
    client.connection.write(up);
    server.connection.write(down);
    await Promise.all([client.received(down.length), server.received(up.length)]);
    expect(Buffer.concat(server.chunks).equals(up)).toBe(true);
    expect(Buffer.concat(client.chunks).equals(down)).toBe(true);
    const both = [client, server].map(({ connection }) =>
      connection.tls?.exportKeyingMaterial(32, 'EXPORTER-ringpoll-test'),
    );
    expect(both[0]).toHaveLength(32);
    expect(both[0]?.equals(both[1] as Buffer)).toBe(true);
  });

  it('a thousand messages of one byte, each answered before the next', async () => {
    const { peer } = await nodeToOurs(version, echoing);
    for (let number = 1; number <= 1000; number += 1) {
      peer.send(`${number % 10}`);
      await peer.received(number);
    }
    expect(peer.text).toBe('1234567890'.repeat(100));
  });

  it('every way to write, in order', async () => {
    const { peer, server } = await nodeToOurs(version);
    const { connection } = server;
    const large = pattern(400_000);
    connection.write('text ');
    connection.writev(['a', Buffer.from('b'), 'c ']);
    connection.cork(() => {
      connection.write('corked ');
    });
    connection.write(large);
    connection.end('end');
    const expected = `text abc corked ${large.toString('latin1')}end`;
    expect(await peer.untilEnd()).toBe(expected);
    // It may be that nothing could be taken at once.
    const { peer: second, server: other } = await nodeToOurs(version);
    const taken = other.connection.tryWrite(large);
    expect(taken).toBeGreaterThan(0);
    await second.received(taken);
    expect(Buffer.concat(second.chunks).equals(large.subarray(0, taken))).toBe(true);
  });

  it('waits for a peer that does not read, and goes on by drain', async () => {
    const sent = pattern(6_000_000);
    let at = 0;
    let drains = 0;
    const go = (connection: { write(bytes: Buffer): boolean; end(): void }) => {
      while (at < sent.length) {
        const piece = sent.subarray(at, at + 30_000);
        at += piece.length;
        if (!connection.write(piece)) return;
      }
      connection.end();
    };
    const { peer, server } = await nodeToOurs(version, {
      data: (connection) => go(connection),
      drain(connection) {
        drains += 1;
        go(connection);
      },
    });
    peer.socket.pause();
    peer.send('go');
    await server.until('data');
    expect(at).toBeLessThan(sent.length);
    peer.socket.resume();
    await peer.untilEnd();
    expect(Buffer.concat(peer.chunks).equals(sent)).toBe(true);
    expect(drains).toBeGreaterThan(0);
  });

  it('pause() holds bytes back, and resume() gives them', async () => {
    const { peer, server } = await nodeToOurs(version);
    server.connection.pause();
    const sent = pattern(2_000_000);
    peer.send(sent);
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.bytes).toBe(0);
    server.connection.resume();
    await server.received(sent.length);
    expect(Buffer.concat(server.chunks).equals(sent)).toBe(true);
  });
});
