// Groups of threads: who gets connections, what happens when a thread ends, reload and stop.
import { get } from 'node:http';
import { connect as connectTls } from 'node:tls';
import { listen } from 'ringpoll';
import { type Balance, LoopGroup, type LoopGroupOptions, type ThreadEnd } from 'ringpoll/threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer } from '../support/peer.js';
import { within } from '../support/recorder.js';
import { first } from '../support/tls/credentials.js';
import { dialSocket, SocketLog } from '../support/websocket.js';

const BALANCES: Balance[] = ['reuseport', 'round-robin', 'least-connections', 'queue'];

const module = (name: string) => new URL(`../support/group/${name}.mjs`, import.meta.url);

async function startGroup(name: string, options: LoopGroupOptions): Promise<LoopGroup> {
  const group = new LoopGroup(module(name), { threads: 2, ...options });
  onTestFinished(() => group.stop({ timeout: 100 }));
  return await group.start();
}

interface Answer {
  status: number;
  body: string;
}

/** One request on a connection of its own. */
function ask(port: number | undefined, path = '/'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.once('error', reject);
  });
}

const threadOf = ({ body }: Answer) => Number(body.split(' ')[0]);
const generationOf = ({ body }: Answer) => Number(body.split(' ')[1]);

async function until(done: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const looks = async () => {
    while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await within(looks(), () => what, 8000);
}

describe.each(BALANCES)('a group with balance %s', (balance) => {
  it('serves with both threads, counts, replaces a crashed one, reloads and stops', async () => {
    let told!: (end: ThreadEnd) => void;
    const crashed = new Promise<ThreadEnd>((resolve) => {
      told = resolve;
    });
    const group = await startGroup('http', { balance, data: 'given', crash: (end) => told(end) });
    expect(group.addresses).toEqual([{ address: '127.0.0.1', port: group.port, family: 'IPv4' }]);

    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(group.port)));
    expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(200));
    expect(answers[0]!.body).toMatch(/^[01] 0 undefined given\n$/);
    // With a queue whoever is idle serves: on a busy machine one thread may take all.
    const served = [...new Set(answers.map(threadOf))].sort();
    if (balance === 'queue') expect([0, 1]).toEqual(expect.arrayContaining(served));
    else expect(served).toEqual([0, 1]);
    const accepted = group.reports().map((report) => report.accepted);
    expect(accepted[0]! + accepted[1]!).toBe(40);
    if (balance === 'round-robin') expect(accepted).toEqual([20, 20]);

    const lost = threadOf(await ask(group.port, '/'));
    await ask(group.port, '/crash');
    const end = await within(crashed, () => 'a crash', 8000);
    expect(end).toMatchObject({ error: { message: 'boom' }, exitCode: 1 });
    expect([0, 1]).toContain(lost);
    await until(() => group.reports()[end.thread]!.state === 'serving', 'a replacement');
    expect(group.reports()[end.thread]!.generation).toBe(1);
    expect((await ask(group.port)).status).toBe(200);

    await group.reload();
    const after = await Promise.all(Array.from({ length: 10 }, () => ask(group.port)));
    expect(Math.min(...after.map(generationOf))).toBeGreaterThanOrEqual(1);
    const metrics = await group.metrics();
    expect(metrics).toMatchObject({ crashes: 1, reloads: 2 });
    expect(metrics.loop.accepted).toBeGreaterThan(0);
    expect(metrics.acceptor.failed).toBe(0);
    expect((await group.explain()).every((each) => each !== undefined)).toBe(true);

    await group.stop();
    await expect(ask(group.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('a reload under load', () => {
  it.each(['reuseport', 'queue'] as const)('loses no request: %s', async (balance) => {
    const group = await startGroup('http', { balance });
    let over = false;
    let served = 0;
    const clients = Array.from({ length: 4 }, async () => {
      while (!over) {
        expect((await ask(group.port)).status).toBe(200);
        served++;
      }
    });
    await group.reload();
    await until(() => served > 40, 'some requests');
    over = true;
    await Promise.all(clients);
    expect(group.reports().map(({ generation }) => generation)).toEqual([1, 1]);
  });

  it('waits for a request that its old thread has', async () => {
    const group = await startGroup('http', { threads: 1, balance: 'round-robin' });
    const slow = ask(group.port, '/slow');
    await until(() => group.reports()[0]!.connections > 0, 'the connection');
    await group.reload();
    expect(await slow).toEqual({ status: 200, body: 'slow\n' });
  });

  it('may be under way when the group stops: the thread to be replaced ends too', async () => {
    const group = await startGroup('http', { balance: 'round-robin' });
    const reloading = group.reload();
    await until(() => group.reports()[0]!.generation === 1, 'the next thread');
    const stopping = group.stop();
    await within(Promise.all([reloading, stopping]), () => 'the end of all threads', 8000);
    await expect(ask(group.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('a group', () => {
  it('replaces a thread that exits, and keeps who waits meanwhile', async () => {
    const ends: ThreadEnd[] = [];
    const crash = (end: ThreadEnd) => void ends.push(end);
    const group = await startGroup('http', { threads: 1, balance: 'queue', crash });
    await ask(group.port, '/exit').catch(() => {});
    await until(() => ends.length > 0, 'its end');
    expect(ends[0]).toMatchObject({ thread: 0, exitCode: 3, error: undefined });
    // There is no thread now: the connection waits for the next one.
    expect(generationOf(await ask(group.port))).toBe(1);
  });

  it('has a listener for each of the options of its module', async () => {
    const group = await startGroup('two', { balance: 'round-robin' });
    const [echo, http] = group.addresses as { port: number }[];
    const peer = await connectPeer({ port: echo!.port });
    peer.send('back');
    expect(await peer.received(4)).toBe('back');
    peer.end();
    expect((await ask(http!.port)).body).toMatch(/^[01]$/);
  });

  it.each(['reuseport', 'queue'] as const)('shares topics of WebSockets: %s', async (balance) => {
    const group = await startGroup('http', { balance });
    const url = `ws://127.0.0.1:${group.port}/`;
    const logs: SocketLog[] = [];
    const dial = async () => {
      const log = new SocketLog();
      logs.push(log);
      return await dialSocket<never>(url, log.handlers);
    };
    const first = await dial();
    while (group.reports().some(({ connections }) => connections === 0)) await dial();
    first.send('hello');
    for (const log of logs.slice(1)) {
      const [text] = await log.received(1);
      expect(text).toMatch(/^[01]: hello$/);
    }
    group.publish('all', 'to each');
    for (const log of logs.slice(1)) expect(await log.received(2)).toContain('to each');
    expect(await logs[0]!.received(1)).toEqual(['to each']);
  });

  it('resumes a session of TLS on another thread', async () => {
    const group = await startGroup('tls', { balance: 'round-robin', data: { ...first } });
    const request = (session?: Buffer) =>
      new Promise<{ body: string; session: Buffer; resumed: boolean }>((resolve, reject) => {
        const options = { host: '127.0.0.1', port: group.port, rejectUnauthorized: false, session };
        const socket = connectTls(options, () => {
          socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
        });
        let ticket = Buffer.alloc(0);
        let answer = '';
        socket.on('session', (each) => {
          ticket = each;
        });
        socket.setEncoding('utf8').on('data', (text) => {
          answer += text;
        });
        socket.once('end', () => {
          const resumed = socket.isSessionReused();
          resolve({ body: answer.slice(-1), session: ticket, resumed });
          socket.end();
        });
        socket.once('error', reject);
      });
    const one = await request();
    const two = await request(one.session);
    expect([one.resumed, two.resumed]).toEqual([false, true]);
    expect([one.body, two.body].sort()).toEqual(['0', '1']);
  });

  it('pins each thread to a processor', async (context) => {
    context.skip(process.platform !== 'linux', 'only Linux pins threads');
    const group = await startGroup('http', { pin: true, balance: 'round-robin' });
    const answers = [await ask(group.port), await ask(group.port)];
    const reports = group.reports();
    for (const answer of answers) {
      const cpu = Number(answer.body.split(' ')[2]);
      expect(reports[threadOf(answer)]!.cpu).toBe(cpu);
    }
    expect(reports[0]!.involuntarySwitches).toBeGreaterThanOrEqual(0);
  });

  it('tells what keeps a thread from listening, and leaves nothing open', async () => {
    const taken = listen({ host: '127.0.0.1', port: 0 });
    onTestFinished(() => taken.destroy());
    const refusals = [
      [{ does: 'throws' }, { message: 'unfit', code: 'E_UNFIT' }],
      [{ does: 'exits' }, { code: 'ERR_RINGPOLL_WORKER_EXITED' }],
      [
        { options: { host: '127.0.0.1', port: taken.port, data: undefined } },
        { code: 'EADDRINUSE', port: taken.port },
      ],
      [{ options: { port: 0, fd: 1 } }, { code: 'ERR_RINGPOLL_INVALID_ARG_VALUE' }],
      [{ options: { port: 0, nonsense: 1 } }, { code: 'ERR_RINGPOLL_UNKNOWN_OPTION' }],
      [{ options: 5 }, { code: 'ERR_RINGPOLL_INVALID_ARG_TYPE' }],
    ] as const;
    const starts = refusals.map(([data]) =>
      new LoopGroup(module('unfit'), { threads: 1, data, balance: 'round-robin' }).start(),
    );
    const results = await Promise.allSettled(starts);
    for (const [i, result] of results.entries()) {
      expect(result).toMatchObject({ status: 'rejected', reason: refusals[i]![1] });
    }
  });

  it('gives up on a thread that does not listen in time', async () => {
    const options = { threads: 1, startTimeout: 300, data: { does: 'hangs' } };
    const group = new LoopGroup(module('unfit'), options);
    await expect(group.start()).rejects.toMatchObject({ code: 'ERR_RINGPOLL_WORKER_UNFIT' });
  });

  it('refuses options that make no sense', () => {
    const make = (options: object, of: unknown = module('http')) => {
      try {
        new LoopGroup(of as URL, options);
      } catch (error) {
        return (error as NodeJS.ErrnoException).code;
      }
      return 'made';
    };
    expect(make({ threads: 0 })).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
    expect(make({ threads: 257 })).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
    expect(make({ balance: 'random' })).toBe('ERR_RINGPOLL_INVALID_ARG_VALUE');
    expect(make({ pin: 'yes' })).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
    expect(make({ pin: [] })).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
    expect(make({ crash: 1 })).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
    expect(make({ port: 80 })).toBe('ERR_RINGPOLL_UNKNOWN_OPTION');
    expect(make({}, './server.js')).toBe('ERR_RINGPOLL_INVALID_ARG_VALUE');
    expect(make({}, 5)).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
  });
});
