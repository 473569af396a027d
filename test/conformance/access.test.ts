// Who may connect: networks, limits by address, and bans, asked at accept.
import { connect as netConnect, type Socket } from 'node:net';
import { type AccessOptions, type Connection, type Listener, listen } from 'ringpoll';
import { serve } from 'ringpoll/http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { client } from '../support/client.js';
import { within } from '../support/recorder.js';
import { portOf } from '../support/serve.js';

const LOOPBACK = '127.0.0.0/8';

interface Server {
  listener: Listener;
  /** Those that the handlers have seen. */
  opened: Connection[];
}

/** Answers every connection with a letter. */
function open(access?: AccessOptions): Server {
  const opened: Connection[] = [];
  const listener = listen({
    ...{ host: '127.0.0.1', port: 0, access },
    open(connection) {
      opened.push(connection);
      connection.write('w');
    },
    data() {},
  });
  onTestFinished(() => listener.destroy());
  return { listener, opened };
}

/** A connection that was welcomed, or undefined when it was refused. From another address too. */
function knock(listener: Listener, localAddress?: string): Promise<Socket | undefined> {
  const socket = netConnect({ host: '127.0.0.1', port: portOf(listener), localAddress });
  onTestFinished(() => void socket.destroy());
  const answer = new Promise<Socket | undefined>((resolve) => {
    socket.once('data', () => resolve(socket));
    socket.once('error', () => {});
    socket.once('close', () => resolve(undefined));
  });
  return within(answer, () => 'a letter or the end');
}

const isWelcome = async (listener: Listener, from?: string) =>
  (await knock(listener, from)) !== undefined;

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(setImmediate);
}

describe('networks', () => {
  it('that are denied get no handler, no byte and no answer of a static route', async () => {
    const { listener, opened } = open({ deny: [LOOPBACK] });
    expect(await isWelcome(listener)).toBe(false);
    expect(opened).toEqual([]);
    expect(listener.connections).toBe(0);
    expect(listener.metrics().access).toMatchObject({ denied: 1, banned: 0, crowded: 0 });

    let asked = 0;
    const server = serve({
      ...{ host: '127.0.0.1', port: 0, access: { allow: ['192.0.2.0/24'] } },
      static: { '/': { body: 'static' } },
      handler: () => void asked++,
    });
    onTestFinished(() => server.destroy());
    await expect(client().request(`http://127.0.0.1:${server.port}/`)).rejects.toThrow();
    expect(asked).toBe(0);
    server.setAccess({});
    const response = await client().request(`http://127.0.0.1:${server.port}/`);
    expect(await response.text()).toBe('static');
    expect(server.metrics().access?.denied).toBeGreaterThan(0);
  });

  it('change at run time, for connections that come', async () => {
    const { listener, opened } = open();
    const before = await knock(listener);
    listener.setAccess({ deny: [LOOPBACK], allow: ['127.0.0.1'] });
    expect(await isWelcome(listener)).toBe(true);
    listener.setAccess({ deny: ['127.0.0.1'] });
    expect(await isWelcome(listener)).toBe(false);
    expect(before?.destroyed).toBe(false);
    listener.setAccess({});
    expect(await isWelcome(listener)).toBe(true);
    expect(opened).toHaveLength(3);
  });

  it('count for IPv4 on a socket of IPv6 too', async () => {
    const listener = listen({ port: 0, access: { deny: [LOOPBACK] }, data() {} });
    onTestFinished(() => listener.destroy());
    expect(await isWelcome(listener)).toBe(false);
    expect(listener.metrics().access).toMatchObject({ denied: 1 });
  });
});

describe('a limit by address', () => {
  it('refuses what is too much, and takes one when another has left', async () => {
    const { listener } = open({ maxPerAddress: 2 });
    const held = [await knock(listener), await knock(listener)];
    expect(await isWelcome(listener)).toBe(false);
    expect(listener.metrics().access).toMatchObject({ crowded: 1 });
    held[0]?.destroy();
    await until(() => listener.connections === 1);
    expect(await isWelcome(listener)).toBe(true);
  });
});

describe('a ban', () => {
  it('by hand holds until it is over or taken back', async () => {
    const { listener } = open();
    listener.ban('127.0.0.1', 60_000);
    expect(await isWelcome(listener)).toBe(false);
    expect(listener.metrics().access).toMatchObject({ banned: 1, bans: 1 });
    expect(listener.unban('127.0.0.1')).toBe(true);
    expect(listener.unban('127.0.0.1')).toBe(false);
    expect(await isWelcome(listener)).toBe(true);
    listener.ban('::ffff:127.0.0.1', 50);
    await until(() => isWelcome(listener));
    expect(listener.metrics().access).toMatchObject({ bans: 0 });
  });

  it('comes by rate, is for one address alone, and is over after its time', async (context) => {
    context.skip(process.platform !== 'linux', 'only Linux has all of 127.0.0.0/8');
    const ban = { connections: 20, window: 60_000, time: 300 };
    const { listener } = open({ ban });
    const honest = await knock(listener, '127.0.0.2');
    const attempts = await Promise.all(
      Array.from({ length: 200 }, () => isWelcome(listener, '127.0.0.3')),
    );
    expect(attempts.filter(Boolean)).toHaveLength(20);
    expect(honest?.destroyed).toBe(false);
    expect(await isWelcome(listener, '127.0.0.2')).toBe(true);
    await until(() => isWelcome(listener, '127.0.0.3'));
    expect(listener.metrics().access?.banned).toBeGreaterThanOrEqual(180);
  });

  it('remembers no more addresses than it is told, however many come', async (context) => {
    context.skip(process.platform !== 'linux', 'only Linux has all of 127.0.0.0/8');
    const { listener } = open({ ban: { connections: 1, window: 60_000, maxAddresses: 10 } });
    for (let i = 1; i <= 60; i++) {
      // The second one brings the ban.
      await knock(listener, `127.0.1.${i}`);
      await knock(listener, `127.0.1.${i}`);
      const { bans = 99, addresses = 99 } = listener.metrics().access ?? {};
      expect(bans).toBeLessThanOrEqual(10);
      expect(addresses).toBeLessThanOrEqual(10);
    }
    expect(await isWelcome(listener, '127.0.1.60')).toBe(false);
  });
});

describe('the option access', () => {
  const code = (call: () => unknown) => {
    try {
      call();
    } catch (error) {
      return (error as { code: string }).code;
    }
    return 'taken';
  };

  it.each([
    ['TYPE', { allow: '10.0.0.0/8' }],
    ['VALUE', { allow: ['10.0.0.0/33'] }],
    ['VALUE', { deny: ['unix'] }],
    ['VALUE', { deny: [7] }],
    ['RANGE', { maxPerAddress: 0 }],
    ['RANGE', { ipv6Prefix: 129 }],
    ['RANGE', { ban: { maxAddresses: 2 ** 21 } }],
    ['TYPE', { ban: true }],
    ['UNKNOWN', { block: [] }],
    ['UNKNOWN', { ban: { limit: 5 } }],
  ])('refuses what it does not understand: %s, %o', (kind, access) => {
    const codes = {
      TYPE: 'ERR_RINGPOLL_INVALID_ARG_TYPE',
      VALUE: 'ERR_RINGPOLL_INVALID_ARG_VALUE',
      RANGE: 'ERR_RINGPOLL_OUT_OF_RANGE',
      UNKNOWN: 'ERR_RINGPOLL_UNKNOWN_OPTION',
    };
    const expected = codes[kind as keyof typeof codes];
    expect(code(() => open(access as never))).toBe(expected);
    const { listener } = open();
    expect(code(() => listener.setAccess(access as never))).toBe(expected);
  });

  it('leaves a listener that is over as it is, with what it counted', async () => {
    const { listener } = open({ deny: [LOOPBACK] });
    await knock(listener);
    listener.destroy();
    await listener.stop();
    listener.setAccess({ deny: [] });
    listener.ban('127.0.0.1', 1000);
    expect(listener.unban('127.0.0.1')).toBe(false);
    expect(listener.metrics().access).toMatchObject({ denied: 1 });
    expect(code(() => listener.ban('127.0.0.0/8', 1000))).toBe('ERR_RINGPOLL_INVALID_ARG_VALUE');
    expect(code(() => listener.ban('127.0.0.1', 0))).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
  });
});
