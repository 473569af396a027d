import { describe, expect, it } from 'vitest';
import { bothSides, pair, pattern } from '../support/serve.js';
import { overTls } from '../support/tls/switch.js';

describe("the peer's FIN", () => {
  it('is an end event; without allowHalfOpen the connection then ends and closes too', async () => {
    const { peer, server } = await pair();
    peer.end();
    await server.until('close');
    await peer.untilEnd();
    expect(server.order).toEqual(['open', 'end', 'close']);
    expect(server.closeError).toBeUndefined();
    expect(server.connection.readyState).toBe('closed');
  });

  it('in the segment of the last data comes after that data', async () => {
    const { peer, server } = await pair();
    peer.end('last words');
    await server.until('close');
    expect(server.text).toBe('last words');
    expect(server.order).toEqual(['open', 'data', 'end', 'close']);
  });

  it('comes after all of many bytes', async () => {
    const { peer, server } = await pair();
    const sent = pattern(3_000_000);
    peer.send(sent);
    peer.end();
    await server.until('end');
    expect(Buffer.concat(server.chunks).equals(sent)).toBe(true);
  });

  it('lets an answer that is being written leave whole, without allowHalfOpen', async () => {
    const answer = pattern(5_000_000);
    const { peer, server } = await pair({ data: (connection) => connection.write(answer) });
    peer.socket.pause();
    peer.end('ask');
    await server.until('end');
    peer.socket.resume();
    await peer.untilEnd();
    expect(Buffer.concat(peer.chunks).equals(answer)).toBe(true);
    await server.until('close');
  });

  it('lets the end handler write an answer, without allowHalfOpen', async () => {
    const { peer } = await pair({
      end(connection) {
        connection.write('goodbye');
      },
    });
    peer.end('x');
    expect(await peer.untilEnd()).toBe('goodbye');
  });

  it('leaves the connection open for writing with allowHalfOpen', async () => {
    const { peer, server } = await pair({}, { allowHalfOpen: true });
    peer.end('x');
    await server.until('end');
    expect(server.connection.readyState).toBe('writeOnly');
    for (const word of ['one ', 'two ', 'three']) {
      server.connection.write(word);
      await new Promise(setImmediate);
    }
    expect(await peer.received(13)).toBe('one two three');
    expect(server.order).toEqual(['open', 'data', 'end']);
    server.connection.end();
    await server.until('close');
    await peer.untilEnd();
    expect(server.order).toEqual(['open', 'data', 'end', 'close']);
  });
});

describe('end()', () => {
  it('sends what is pending, then FIN, and the connection goes on reading', async () => {
    const { peer, server } = await pair();
    const sent = pattern(2_000_000);
    server.connection.write(sent);
    server.connection.end('!');
    expect(server.connection.readyState).toBe('readOnly');
    await peer.untilEnd();
    expect(peer.bytes).toBe(sent.length + 1);
    expect(Buffer.concat(peer.chunks).subarray(0, -1).equals(sent)).toBe(true);
    peer.send('still ');
    await server.received(6);
    peer.end('here');
    await server.until('close');
    expect(server.text).toBe('still here');
    // Over TLS what waits may be told to drain behind end().
    const order = server.order.filter((event) => !overTls || event !== 'drain');
    expect(order).toEqual(['open', 'data', 'end', 'close']);
    expect(server.closeError).toBeUndefined();
  });

  it('can be called twice', async () => {
    const { peer, server } = await pair();
    server.connection.end('x');
    server.connection.end();
    expect(await peer.untilEnd()).toBe('x');
    peer.end();
    await server.until('close');
    expect(server.count('close')).toBe(1);
  });

  it('without allowHalfOpen closes once the peer ends too', async () => {
    const { client, server } = await bothSides();
    client.connection.end('x');
    await Promise.all([client.until('close'), server.until('close')]);
    expect(server.order).toEqual(['open', 'data', 'end', 'close']);
    expect(client.order).toEqual(['open', 'end', 'close']);
  });

  it('from both sides at once closes both in order', async () => {
    const { client, server } = await bothSides();
    client.connection.end('from client');
    server.connection.end('from server');
    await Promise.all([client.until('close'), server.until('close')]);
    expect(client.text).toBe('from server');
    expect(server.text).toBe('from client');
    for (const { order, closeError } of [client, server]) {
      expect(order).toEqual(['open', 'data', 'end', 'close']);
      expect(closeError).toBeUndefined();
    }
  });

  it('in answer to the end event of a half-open connection closes it', async () => {
    const { peer, server } = await pair(
      { end: (connection) => connection.end('over') },
      { allowHalfOpen: true },
    );
    peer.end();
    expect(await peer.untilEnd()).toBe('over');
    await server.until('close');
    expect(server.order).toEqual(['open', 'end', 'close']);
  });
});

describe('close()', () => {
  it('sends what is pending and hears no more data', async () => {
    const { peer, server } = await pair({
      data(connection) {
        connection.write('answer');
        connection.close();
      },
    });
    peer.send('one');
    await server.received(3);
    peer.send('two');
    await server.until('close');
    expect(server.text).toBe('one');
    expect(await peer.received(6)).toBe('answer');
    expect(server.order).toEqual(['open', 'data', 'close']);
  });

  it('flushes many bytes to a peer that reads them late', async () => {
    const { peer, server } = await pair();
    peer.socket.pause();
    const sent = pattern(5_000_000);
    server.connection.write(sent);
    server.connection.close();
    expect(server.connection.readyState).toBe('closing');
    expect(server.count('close')).toBe(0);
    peer.socket.resume();
    await peer.untilEnd();
    expect(Buffer.concat(peer.chunks).equals(sent)).toBe(true);
    await server.until('close');
    expect(server.closeError).toBeUndefined();
  });

  it('twice is once', async () => {
    const { server } = await pair();
    server.connection.close();
    server.connection.close();
    await server.until('close');
    server.connection.close();
    await new Promise(setImmediate);
    expect(server.count('close')).toBe(1);
  });

  it('does not close within the call', async () => {
    const { server } = await pair();
    server.connection.close();
    expect(server.count('close')).toBe(0);
    await server.until('close');
  });
});
