// How connections over TLS end: one way, both ways, and not in order.
import { describe, expect, it } from 'vitest';
import { connectPeer } from '../support/peer.js';
import { codeOf, Recorder, Recorders, within } from '../support/recorder.js';
import { dial, pattern, portOf } from '../support/serve.js';
import {
  cert,
  dialNode,
  key,
  NAME,
  nodeToOurs,
  serveNode,
  serveTls,
  VERSIONS,
} from '../support/tls/both.js';

describe.each(VERSIONS)('%s', (version) => {
  it('the end of the peer is an end, and ours follows', async () => {
    const { peer, server } = await nodeToOurs(version);
    peer.end('last words');
    await server.until('close');
    await peer.untilEnd();
    expect(server.text).toBe('last words');
    expect(server.order).toEqual(['open', 'data', 'end', 'close']);
    expect(server.closeError).toBeUndefined();
  });

  it('the end of the peer comes behind all of many bytes', async () => {
    const { peer, server } = await nodeToOurs(version);
    const sent = pattern(3_000_000);
    peer.send(sent);
    peer.end();
    await server.until('end');
    expect(Buffer.concat(server.chunks).equals(sent)).toBe(true);
  });

  it('an answer that is being written leaves whole', async () => {
    const answer = pattern(2_000_000);
    const { peer } = await nodeToOurs(version, {
      data: (connection) => connection.end(answer),
    });
    peer.send('ask');
    await peer.untilEnd();
    expect(Buffer.concat(peer.chunks).equals(answer)).toBe(true);
  });

  it('our end lets the peer go on', async () => {
    const { peer, server } = await nodeToOurs(version);
    server.connection.end('goodbye');
    expect(await peer.untilEnd()).toBe('goodbye');
    // RFC 5246, section 7.2.1: there the peer has to end too, and what it still sends is lost.
    if (version === 'TLSv1.3') peer.send('one more thing');
    peer.end();
    await server.until('close');
    if (version === 'TLSv1.3') expect(server.text).toBe('one more thing');
    expect(server.closeError).toBeUndefined();
  });

  it('a FIN without the end of TLS is an error: what came may not be all', async () => {
    const recorders = new Recorders();
    const port = portOf(serveTls(recorders.recording));
    const { socket } = await connectPeer({ port });
    const versions = { minVersion: version, maxVersion: version };
    const peer = await dialNode(port, { socket, ...versions });
    const server = await recorders.at(0);
    peer.send('half of');
    await server.received(7);
    // The socket below ends, and TLS does not say so.
    socket.end();
    await server.until('close');
    expect(server.order).not.toContain('end');
    expect(codeOf(server.closeError)).toBe('ERR_RINGPOLL_TLS_TRUNCATED');
  });

  it('destroy() and reset() end it at once', async () => {
    for (const end of ['destroy', 'reset'] as const) {
      const { peer, server } = await nodeToOurs(version);
      server.connection[end]();
      await server.until('close');
      // A FIN, or an RST.
      await within(
        new Promise<void>((resolve) => {
          if (peer.ended || peer.closed) resolve();
          peer.socket.once('end', resolve).once('close', () => resolve());
        }),
        () => 'the end of the peer',
      );
    }
  });

  it('while paused: a reset is heard at once, and the end when it is read again', async () => {
    const recorders = new Recorders();
    const port = portOf(serveTls(recorders.recording));
    const { socket } = await connectPeer({ port });
    await dialNode(port, { socket, minVersion: version, maxVersion: version });
    const reset = await recorders.at(0);
    reset.connection.pause();
    // The socket below is reset.
    socket.resetAndDestroy();
    await reset.until('close');
    expect(codeOf(reset.closeError)).toBe('ECONNRESET');

    const { server, peer } = await nodeToOurs(version);
    // node:tls ends without close_notify when it has not read its ticket yet.
    server.connection.write('x');
    await peer.received(1);
    server.connection.pause();
    peer.end();
    // Another connection ends meanwhile, which takes a few turns.
    const other = await nodeToOurs(version);
    other.peer.destroy();
    await other.server.until('close');
    expect(server.connection.readyState).toBe('open');
    server.connection.resume();
    await server.until('end');
    await server.until('close');
  });

  it('close() loses nothing that was written, though tickets lie unread', async () => {
    const recorders = new Recorders();
    const port = portOf(
      serveTls({
        tls: { key: key, cert, minVersion: version, maxVersion: version },
        ...recorders.recording,
      }),
    );
    const sent = pattern(5_000_000);
    const client = new Recorder();
    const connection = await dial({
      ...{ port, tls: { ca: cert, servername: NAME } },
      ...client.recording,
    });
    connection.write(sent);
    connection.close();
    const server = await recorders.at(0);
    await server.until('close');
    await client.until('close');
    expect(Buffer.concat(server.chunks).equals(sent)).toBe(true);
    expect(server.order.at(-2)).toBe('end');
    expect(server.closeError).toBeUndefined();
    expect(client.closeError).toBeUndefined();
  });

  it('close() loses nothing that was written to a peer that goes on sending', async () => {
    const { peer, server } = await nodeToOurs(version);
    const sent = pattern(5_000_000);
    server.connection.write(sent);
    server.connection.close();
    for (let i = 0; i < 50; i++) peer.send('x'.repeat(1000));
    await peer.received(sent.length);
    peer.end();
    await server.until('close');
    expect(Buffer.concat(peer.chunks).equals(sent)).toBe(true);
  });

  it('half-open: a listener with allowHalfOpen answers behind the end in TLS 1.3', async () => {
    const { peer, server } = await nodeToOurs(version, {}, { allowHalfOpen: true });
    peer.end('x');
    await server.until('end');
    if (version === 'TLSv1.3') {
      expect(server.connection.readyState).toBe('writeOnly');
      server.connection.write('later');
      server.connection.end();
      expect(await peer.untilEnd()).toBe('later');
    }
    await server.until('close');
    expect(server.closeError).toBeUndefined();
  });

  it('a client ends as a server does', async () => {
    const port = await serveNode({ minVersion: version, maxVersion: version }, (socket) => {
      socket.on('data', (bytes) => socket.end(bytes));
      socket.on('error', () => {});
    });
    const client = new Recorder();
    const connection = await dial({
      ...{ port, tls: { ca: cert, servername: NAME } },
      ...client.recording,
    });
    connection.write('ping');
    await client.until('close');
    expect(client.text).toBe('ping');
    expect(client.order).toEqual(['open', 'data', 'end', 'close']);
    expect(client.closeError).toBeUndefined();
  });
});
