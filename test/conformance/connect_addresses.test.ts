// connect() to a name with several addresses: how it is looked up, which is tried, what is told.
import { createServer, Socket } from 'node:net';
import { connect, type LookupFunction } from 'ringpoll';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer, PeerServer } from '../support/peer.js';
import { startProgram } from '../support/program.js';
import { codeOf, within } from '../support/recorder.js';

const done = <T>(promise: Promise<T>, what: string) => within(promise, () => what);

/** A lookup that answers these, and what it was asked. */
function answering(...addresses: string[]) {
  const asked: unknown[] = [];
  const lookup: LookupFunction = (hostname, options, callback) => {
    asked.push(hostname, options);
    process.nextTick(
      callback,
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { lookup, asked };
}

async function connected(options: object) {
  const connection = await done(connect({ data() {}, ...options } as never), 'connect()');
  onTestFinished(() => connection.reset());
  return connection;
}

const failureOf = (options: object) =>
  done(
    connect(options as never).then(
      () => undefined,
      (error) => error,
    ),
    'the refusal',
  );

/** 127.0.0.2 does not answer on the port on which 127.0.0.1 does. */
async function silentBesideOpen() {
  const server = await PeerServer.listen();
  await startProgram('full_backlog', { args: ['127.0.0.2', `${server.port}`] }).port();
  // Its queue holds one more than its backlog of 1; the others wait for an answer for ever.
  let connected = 0;
  const full = new Promise<void>((resolve) => {
    for (let i = 0; i < 8; i += 1) {
      const waiting = new Socket().connect(server.port, '127.0.0.2');
      onTestFinished(() => void waiting.destroy());
      waiting.on('error', () => {});
      waiting.on('connect', () => {
        connected += 1;
        if (connected === 2) resolve();
      });
    }
  });
  await done(full, 'a full queue');
  return server;
}

describe('connect() to a name', () => {
  it('asks the lookup that it was given, with family and hints', async () => {
    const server = await PeerServer.listen();
    const { lookup, asked } = answering('127.0.0.1');
    const options = { host: 'name.test', port: server.port, lookup, family: 4, hints: 1024 };
    const connection = await connected(options);
    expect(connection.remoteAddress).toBe('127.0.0.1');
    expect(asked).toEqual(['name.test', { all: true, family: 4, hints: 1024 }]);
  });

  it('takes one address for an answer, as dns.lookup gives it without `all`', async () => {
    const server = await PeerServer.listen();
    const lookup: LookupFunction = (_name, _options, callback) => callback(null, '127.0.0.1', 4);
    const connection = await connected({ host: 'name.test', port: server.port, lookup });
    expect(connection.remotePort).toBe(server.port);
  });

  it('does not ask it for an address', async () => {
    const server = await PeerServer.listen();
    const { lookup, asked } = answering('127.0.0.9');
    await connected({ host: '127.0.0.1', port: server.port, lookup });
    expect(asked).toEqual([]);
  });

  it('rejects with the error of the lookup, and when its answer makes no sense', async () => {
    const failure = new Error('mine');
    const failing: LookupFunction = (_name, _options, callback) => callback(failure, []);
    expect(await failureOf({ host: 'a.test', port: 1, lookup: failing })).toBe(failure);
    for (const lookup of [answering().lookup, answering('no address').lookup]) {
      const error = await failureOf({ host: 'a.test', port: 1, lookup });
      expect(codeOf(error)).toBe('ERR_RINGPOLL_INVALID_ARG_VALUE');
    }
  });

  it('looks names up by the system, of one family if it is told so', async () => {
    const server = await PeerServer.listen();
    const connection = await connected({ host: 'localhost', port: server.port, family: 4 });
    expect(connection.remoteFamily).toBe('IPv4');
  });

  it('tries the next address when one refuses', async () => {
    const server = await PeerServer.listen();
    const { lookup } = answering('127.0.0.3', '127.0.0.4', '127.0.0.1');
    for (const autoSelectFamily of [true, false]) {
      const options = { host: 'a.test', port: server.port, lookup, autoSelectFamily };
      expect((await connected(options)).remoteAddress).toBe('127.0.0.1');
    }
  });

  it('tells of all errors when several addresses refuse, under the code of the first', async () => {
    const port = await freePort();
    const { lookup } = answering('127.0.0.3', '127.0.0.4');
    const error = await failureOf({ host: 'a.test', port, lookup });
    expect(error).toBeInstanceOf(AggregateError);
    expect(codeOf(error)).toBe('ECONNREFUSED');
    const { errors, message } = error as unknown as AggregateError;
    expect(errors).toMatchObject([
      { code: 'ECONNREFUSED', address: '127.0.0.3', port },
      { code: 'ECONNREFUSED', address: '127.0.0.4', port },
    ]);
    expect(message).toContain('127.0.0.4');
  });

  it('tells of the error itself when there is one address', async () => {
    const port = await freePort();
    const error = await failureOf({ host: 'a.test', port, lookup: answering('127.0.0.3').lookup });
    expect(error).not.toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({ code: 'ECONNREFUSED', address: '127.0.0.3', port });
  });

  it('does not wait for an address that is silent, and opens one connection only', async () => {
    const server = await silentBesideOpen();
    const { lookup } = answering('127.0.0.2', '127.0.0.1');
    let opened = 0;
    const began = performance.now();
    const connection = await connected({
      ...{ host: 'a.test', port: server.port, lookup, connectTimeout: 5000 },
      autoSelectFamilyAttemptTimeout: 20,
      open: () => {
        opened += 1;
      },
    });
    expect(performance.now() - began).toBeLessThan(4000);
    expect(connection.remoteAddress).toBe('127.0.0.1');
    expect(opened).toBe(1);
  });

  it('waits for a silent address when it is told to try one after the other', async () => {
    const server = await silentBesideOpen();
    const { lookup } = answering('127.0.0.2', '127.0.0.1');
    const began = performance.now();
    await connected({
      ...{ host: 'a.test', port: server.port, lookup },
      ...{ autoSelectFamily: false, connectTimeout: 300 },
    });
    expect(performance.now() - began).toBeGreaterThanOrEqual(299);
  });

  it('stops all attempts when it is aborted', async () => {
    const server = await silentBesideOpen();
    const controller = new AbortController();
    const reason = new Error('mine');
    const { lookup } = answering('127.0.0.2', '127.0.0.2', '127.0.0.2');
    const failure = failureOf({
      ...{ host: 'a.test', port: server.port, lookup, signal: controller.signal },
      autoSelectFamilyAttemptTimeout: 10,
    });
    await connectPeer({ port: server.port });
    controller.abort(reason);
    expect(await failure).toBe(reason);
  });

  it('refuses options that make no sense', async () => {
    const wrong = async (options: object) =>
      codeOf(await failureOf({ host: 'a.test', port: 1, ...options }));
    expect(await wrong({ lookup: 5 })).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
    expect(await wrong({ family: 5 })).toBe('ERR_RINGPOLL_INVALID_ARG_VALUE');
    expect(await wrong({ family: 'IPv4' })).toBe('ERR_RINGPOLL_INVALID_ARG_VALUE');
    expect(await wrong({ hints: -1 })).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
    expect(await wrong({ autoSelectFamily: 1 })).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
    expect(await wrong({ autoSelectFamilyAttemptTimeout: 9 })).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
