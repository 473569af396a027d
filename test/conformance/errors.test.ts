import type { Connection } from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { connectPeer, connectPeers } from '../support/peer.js';
import { runProgram } from '../support/program.js';
import { type EventName, type Handlers, Recorders } from '../support/recorder.js';
import { addressOf, bothSides, pair, serve } from '../support/serve.js';

type Failing = Exclude<EventName, 'error' | 'close'>;

const failing: Failing[] = ['open', 'data', 'drain', 'end', 'timeout'];

/** Brings a connection to one of its handlers. Half-open, so that only an error closes it. */
async function provoke(event: Failing, handlers: Handlers) {
  const { peer, server } = await pair(handlers, { allowHalfOpen: true });
  if (event === 'data') peer.send('x');
  if (event === 'end') peer.end();
  if (event === 'timeout') server.connection.setTimeout(10);
  if (event === 'drain') {
    server.connection.cork(() => server.connection.write('x'.repeat(100_000)));
  }
  await server.until('close');
  return { peer, server };
}

const ways: Record<string, (error: unknown) => unknown> = {
  'that throws': (error) => {
    throw error;
  },
  'whose promise rejects': (error) => Promise.reject(error),
  'that throws after an await': async (error) => {
    await new Promise(setImmediate);
    throw error;
  },
};

describe('a handler', () => {
  it.each(failing.flatMap((event) => Object.keys(ways).map((way) => [event, way] as const)))(
    '%s %s gives its error to the error handler, and the connection is reset',
    async (event, way) => {
      const failure = new Error('mine');
      const { peer, server } = await provoke(event, { [event]: () => ways[way]!(failure) });
      expect(server.error).toBe(failure);
      expect(server.closeError).toBe(failure);
      expect(server.count('error')).toBe(1);
      expect(server.order.slice(-2)).toEqual(['error', 'close']);
      await peer.untilOver();
    },
  );

  it('that throws no Error has it wrapped in one', async () => {
    const { server } = await provoke('data', {
      data() {
        throw 'a string';
      },
    });
    expect(server.error).toBeInstanceOf(Error);
    expect(server.error?.message).toContain('a string');
  });

  it.each<[string, unknown]>([
    ['an object without a prototype', Object.create(null)],
    ['what cannot be printed', { toString: () => ({}) }],
    [
      'a proxy that refuses everything',
      new Proxy(
        {},
        {
          getPrototypeOf() {
            throw new Error('no');
          },
        },
      ),
    ],
    ['a symbol', Symbol('thrown')],
    ['nothing', undefined],
  ])('that throws %s ends its own connection and no other', async (_, thrown) => {
    let first = true;
    const recorders = new Recorders({
      data() {
        if (!first) return;
        first = false;
        throw thrown;
      },
    });
    const peers = await connectPeers(addressOf(serve(recorders.recording)), 10);
    await recorders.at(9);
    for (const peer of peers) peer.send('to all of them in one turn');
    const failed = () => recorders.all.find(({ error }) => error !== undefined);
    await Promise.all(
      recorders.all.map((one) => one.when(() => one.bytes > 0 || one.error !== undefined, 'data')),
    );
    expect(failed()?.error).toBeInstanceOf(Error);
    expect(failed()?.error?.cause).toBe(thrown);
    await failed()?.until('close');
    expect(recorders.all.filter((one) => one.count('close') > 0)).toHaveLength(1);
    expect(recorders.all.filter((one) => one.text === 'to all of them in one turn')).toHaveLength(
      10,
    );
  });

  it('that throws has what was written before dropped by the reset', async () => {
    const { peer, server } = await provoke('data', {
      data(connection) {
        connection.write('x'.repeat(20_000_000));
        throw new Error('mine');
      },
    });
    await peer.untilOver();
    expect(peer.bytes).toBeLessThan(20_000_000);
    expect(server.connection.readyState).toBe('closed');
  });

  it('that throws harms no other connection, of the same batch or later', async () => {
    const recorders = new Recorders({
      data(connection, chunk) {
        if (chunk.toString() === 'bad') throw new Error('mine');
        connection.write(chunk);
      },
    });
    const address = addressOf(serve(recorders.recording));
    const peers = await Promise.all(Array.from({ length: 10 }, () => connectPeer(address)));
    await recorders.at(9);
    for (const [index, peer] of peers.entries()) peer.send(index % 2 === 0 ? 'bad' : 'good');
    const good = peers.filter((_, index) => index % 2 === 1);
    for (const peer of good) expect(await peer.received(4)).toBe('good');
    for (const peer of peers) if (!good.includes(peer)) await peer.untilOver();
    for (const peer of good) peer.send('also');
    for (const peer of good) expect(await peer.received(8)).toBe('goodalso');
  });

  it('that throws twice is told once, and closes once', async () => {
    const failures = [new Error('first'), new Error('second')];
    let times = 0;
    const { server } = await provoke('data', {
      data(connection) {
        const failure = failures[times]!;
        times += 1;
        connection.cork(() => connection.write('x'.repeat(100_000)));
        throw failure;
      },
      drain() {
        throw failures[1];
      },
    });
    expect(server.error).toBe(failures[0]);
    expect(server.count('error')).toBe(1);
    expect(server.count('close')).toBe(1);
  });

  it('that closes and then throws is heard', async () => {
    const failure = new Error('mine');
    const { server } = await provoke('data', {
      data(connection) {
        connection.close();
        throw failure;
      },
    });
    expect(server.error).toBe(failure);
    expect(server.count('close')).toBe(1);
  });

  it('of a connection that was made behaves the same', async () => {
    const failure = new Error('mine');
    const { client, server } = await bothSides(
      { open: (connection) => connection.write('x') },
      {
        data() {
          throw failure;
        },
      },
    );
    await Promise.all([client.until('close'), server.until('close')]);
    expect(client.error).toBe(failure);
    expect(server.closeError).toBeDefined();
  });
});

describe('without an error handler', () => {
  it.each(['open', 'data', 'end', 'close'])(
    'an error thrown in %s is an uncaught exception, and the process may go on',
    async (event) => {
      const { code, stdout, stderr } = await runProgram('throwing', {
        args: [event, 'throw', 'handled'],
      });
      const closed = event === 'close' ? [] : ['close true'];
      const expected = ['uncaught true uncaughtException', ...closed, 'end', ''];
      expect({ code, lines: stdout.split('\n'), stderr }).toEqual({
        code: 0,
        lines: expected,
        stderr: '',
      });
    },
  );

  it('a rejection in data is an uncaught exception', async () => {
    const { code, stdout } = await runProgram('throwing', { args: ['data', 'reject', 'handled'] });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^uncaught true /);
    expect(stdout).toMatch(/close true\nend\n$/);
  });

  it('an error that nobody handles ends the process as in Node, and says where', async () => {
    const { code, stdout, stderr } = await runProgram('throwing', {
      args: ['data', 'throw', 'plain'],
    });
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('Error: thrown by data');
    expect(stderr).toContain('throwing.mjs:');
  });

  it('a reset by the peer is no exception: close tells it', async () => {
    let closeError: Error | undefined;
    const closed = new Promise<void>((resolve) => {
      const listener = serve({
        data() {},
        close(_connection: Connection, error?: Error) {
          closeError = error;
          resolve();
        },
      });
      connectPeer(addressOf(listener)).then((peer) => peer.reset());
    });
    await closed;
    expect(closeError).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
  });
});

describe('an error handler that throws', () => {
  it('is an uncaught exception', async () => {
    const { code, stdout } = await runProgram('throwing', { args: ['error', 'throw', 'handled'] });
    expect(code).toBe(0);
    expect(stdout).toBe('uncaught true uncaughtException\nclose false\nend\n');
  });
});
