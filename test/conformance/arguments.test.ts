import { type Connection, connect, Loop, listen } from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../support/recorder.js';
import { pair } from '../support/serve.js';

type Code = 'TYPE' | 'RANGE' | 'VALUE';

const expected: Record<Code, { code: string; Base: typeof TypeError | typeof RangeError }> = {
  TYPE: { code: 'ERR_RINGPOLL_INVALID_ARG_TYPE', Base: TypeError },
  VALUE: { code: 'ERR_RINGPOLL_INVALID_ARG_VALUE', Base: TypeError },
  RANGE: { code: 'ERR_RINGPOLL_OUT_OF_RANGE', Base: RangeError },
};

function expectRefusal(error: unknown, kind: Code): void {
  const { code, Base } = expected[kind];
  expect(codeOf(error)).toBe(code);
  expect(error).toBeInstanceOf(Base);
}

const notObjects = [undefined, null, 1, 'x', true, Symbol('x')];
const notNumbers = ['1', null, true, {}, [], 1n, () => {}];
const notBooleans = [1, 0, 'true', null, {}];
const notStrings = [1, null, true, {}, [], Symbol('x')];
const notFunctions = [1, 'x', null, true, {}];
const handlers = ['open', 'data', 'drain', 'end', 'timeout', 'error', 'close'];

/** Bad options that both listen() and connect() refuse. */
const shared: [string, unknown[], Code][] = [
  ...handlers.map((name): [string, unknown[], Code] => [name, notFunctions, 'TYPE']),
  ['allowHalfOpen', notBooleans, 'TYPE'],
  ['noDelay', notBooleans, 'TYPE'],
  ['keepAlive', ['x', null, {}], 'TYPE'],
  ['keepAlive', [-1, Number.NaN, 32_767_001, 86_400_000, Number.POSITIVE_INFINITY], 'RANGE'],
  ['highWaterMark', notNumbers, 'TYPE'],
  ['highWaterMark', [0, -1, 0.5, Number.NaN, 2 ** 31, Number.POSITIVE_INFINITY], 'RANGE'],
  ['idleTimeout', notNumbers, 'TYPE'],
  ['idleTimeout', [-1, Number.NaN, 2 ** 31, Number.POSITIVE_INFINITY], 'RANGE'],
  ['signal', [1, 'x', null, {}, new EventTarget()], 'TYPE'],
  ['port', notNumbers, 'TYPE'],
  ['port', [-1, 65_536, 1.5, Number.NaN, Number.POSITIVE_INFINITY], 'RANGE'],
  ['host', notStrings, 'TYPE'],
  ['host', ['', 'a\0b'], 'VALUE'],
];

const listening: [string, unknown[], Code][] = [
  ['backlog', notNumbers, 'TYPE'],
  ['backlog', [0, -1, 1.5, Number.NaN, 2 ** 31], 'RANGE'],
  ['reusePort', notBooleans, 'TYPE'],
  ['maxConnections', notNumbers, 'TYPE'],
  ['maxConnections', [-1, 1.5, Number.NaN], 'RANGE'],
];

const connecting: [string, unknown[], Code][] = [
  ['connectTimeout', notNumbers, 'TYPE'],
  ['connectTimeout', [-1, Number.NaN, 2 ** 31, Number.POSITIVE_INFINITY], 'RANGE'],
  ['localAddress', notStrings, 'TYPE'],
  ['localAddress', ['', 'not an address', '1.2.3'], 'VALUE'],
];

const flatten = (table: [string, unknown[], Code][]) =>
  table.flatMap(([name, values, kind]) => values.map((value) => [name, value, kind] as const));

async function caught(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  return undefined;
}

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('listen()', () => {
  it.each(flatten([...shared, ...listening]))('refuses %s: %o', (name, value, kind) => {
    const options = { host: '127.0.0.1', port: 0, [name]: value };
    expectRefusal(
      thrown(() => listen(options as never)),
      kind,
    );
  });

  it.each(notObjects)('refuses %o as its options', (options) => {
    expectRefusal(
      thrown(() => listen(options as never)),
      'TYPE',
    );
  });

  const places: [object, Code][] = [
    [{}, 'VALUE'],
    [{ host: '127.0.0.1' }, 'VALUE'],
    [{ port: 0, path: '/tmp/x' }, 'VALUE'],
    [{ port: 0, fd: 3 }, 'VALUE'],
    [{ path: '/tmp/x', fd: 3 }, 'VALUE'],
    [{ fd: -1 }, 'RANGE'],
    [{ fd: 1.5 }, 'RANGE'],
    [{ fd: '3' }, 'TYPE'],
    [{ path: 1 }, 'TYPE'],
    [{ path: '' }, 'RANGE'],
    [{ path: `/tmp/${'x'.repeat(108)}` }, 'RANGE'],
    [{ path: '/tmp/a\0b' }, 'VALUE'],
    [{ port: 0, host: '' }, 'VALUE'],
    [{ port: 0, host: 'a\0b' }, 'VALUE'],
  ];

  it.each(places)('refuses %j', (options, kind) => {
    expectRefusal(
      thrown(() => listen(options as never)),
      kind,
    );
  });
});

describe('connect()', () => {
  it.each(flatten([...shared, ...connecting]))('refuses %s: %o', async (name, value, kind) => {
    const options = { host: '127.0.0.1', port: 9, [name]: value };
    expectRefusal(await caught(() => connect(options as never)), kind);
  });

  it.each(notObjects)('refuses %o as its options', async (options) => {
    expectRefusal(await caught(() => connect(options as never)), 'TYPE');
  });

  const places: [object, Code[]][] = [
    [{}, ['VALUE', 'TYPE']],
    [{ host: '127.0.0.1' }, ['VALUE', 'TYPE']],
    [{ port: 0 }, ['RANGE']],
    [{ port: 9, path: '/tmp/x' }, ['VALUE']],
    [{ path: 1 }, ['TYPE']],
    [{ path: '' }, ['RANGE']],
    [{ path: `/tmp/${'x'.repeat(108)}` }, ['RANGE']],
    [{ path: '/tmp/a\0b' }, ['VALUE']],
  ];

  it.each(places)('refuses %j', async (options, kinds) => {
    const error = await caught(() => connect(options as never));
    expect(kinds.map((kind) => expected[kind].code)).toContain(codeOf(error));
  });
});

describe('a connection', () => {
  const data = [undefined, null, 1, true, {}, [1, 2], Symbol('x'), new ArrayBuffer(4), () => {}];
  const calls: [string, unknown[], Code, (connection: Connection, value: never) => unknown][] = [
    ['write', data, 'TYPE', (connection, value) => connection.write(value)],
    ['tryWrite', data, 'TYPE', (connection, value) => connection.tryWrite(value)],
    ['end', data.slice(1), 'TYPE', (connection, value) => connection.end(value)],
    [
      'writev',
      [undefined, null, 'x', 1, {}],
      'TYPE',
      (connection, value) => connection.writev(value),
    ],
    [
      'writev',
      data.map((bad) => ['good', bad]),
      'TYPE',
      (connection, value) => connection.writev(value),
    ],
    ['cork', [null, 1, 'x', {}], 'TYPE', (connection, value) => connection.cork(value)],
    [
      'setTimeout',
      [undefined, ...notNumbers],
      'TYPE',
      (connection, value) => connection.setTimeout(value),
    ],
    [
      'setTimeout',
      [-1, Number.NaN, 2 ** 31, Number.POSITIVE_INFINITY],
      'RANGE',
      (connection, value) => connection.setTimeout(value),
    ],
  ];

  it('refuses bad arguments, and is none the worse for it', async () => {
    const { peer, server } = await pair();
    for (const [name, values, kind, call] of calls) {
      for (const value of values) {
        const error = thrown(() => call(server.connection, value as never));
        expect({ name, value, code: codeOf(error) }).toEqual({
          name,
          value,
          code: expected[kind].code,
        });
        expectRefusal(error, kind);
      }
    }
    expect(server.connection.pendingBytes).toBe(0);
    server.connection.end('fine');
    expect(await peer.untilEnd()).toBe('fine');
  });

  it('refuses to write after end()', async () => {
    const { peer, server } = await pair();
    server.connection.end('x');
    for (const call of ['write', 'tryWrite'] as const) {
      expect(codeOf(thrown(() => server.connection[call]('y')))).toBe(
        'ERR_RINGPOLL_WRITE_AFTER_END',
      );
    }
    expect(await peer.untilEnd()).toBe('x');
  });

  it('that is closed takes every call, and does nothing', async () => {
    const { peer, server } = await pair();
    peer.destroy();
    await server.until('close');
    const { connection } = server;
    expect(connection.write('x')).toBe(false);
    expect(connection.writev(['x'])).toBe(false);
    expect(connection.tryWrite('x')).toBe(0);
    connection.end('x');
    connection.close();
    connection.reset();
    connection.pause();
    connection.resume();
    connection.cork();
    connection.uncork();
    connection.setTimeout(1);
    expect(connection.readyState).toBe('closed');
    expect(connection.pendingBytes).toBe(0);
  });
});

describe('a listener', () => {
  it.each([
    [{ timeout: 'x' }, 'TYPE'],
    [{ timeout: -1 }, 'RANGE'],
    [{ timeout: Number.NaN }, 'RANGE'],
    [null, 'TYPE'],
    [5, 'TYPE'],
  ] as [unknown, Code][])('refuses stop(%j), and goes on listening', async (options, kind) => {
    const { listener } = await pair();
    expectRefusal(await caught(() => listener.stop(options as never)), kind);
    expect(listener.connections).toBe(1);
  });
});

describe('what is refused', () => {
  it('leaves no listener and no connection behind', () => {
    const before = Loop.current().metrics().live;
    for (const [name, value] of flatten([...shared, ...listening])) {
      thrown(() => listen({ host: '127.0.0.1', port: 0, [name]: value } as never));
    }
    expect(Loop.current().metrics().live).toBe(before);
  });

  it('says which argument, what it must be and what it is', () => {
    const error = thrown(() => listen({ port: 70_000 }));
    expect((error as Error).message).toMatch(/port.*65535.*70000/);
  });
});
