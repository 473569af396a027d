// Options that nobody knows are refused, by name and with the nearest one: what they were meant to
// do would not happen, and nobody would be told.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, Loop, listen, Watchdog } from 'ringpoll';
import * as fs from 'ringpoll/fs';
import { serve } from 'ringpoll/http';
import * as scheduler from 'ringpoll/scheduler';
import { describe, expect, it, onTestFinished } from 'vitest';
import { pair } from '../support/serve.js';

const { Channel, Dispatcher, HybridScheduler, Semaphore, TaskGroup } = scheduler;
const host = '127.0.0.1';
const fetch = () => new Response('x');

async function refusalOf(call: () => unknown): Promise<{ code: string; message: string }> {
  try {
    await call();
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return error as Error & { code: string };
  }
  throw new Error('taken');
}

async function expectRefusal(call: () => unknown, message: string | RegExp): Promise<void> {
  const refusal = await refusalOf(call);
  expect(refusal.code).toBe('ERR_RINGPOLL_UNKNOWN_OPTION');
  expect(refusal.message).toMatch(message);
}

/** What is misspelt on purpose: the compiler would not have it. */
const given = (options: object) => options as never;

describe('serve()', () => {
  const open = (options: object) => () => serve(given({ host, port: 0, fetch, ...options }));

  it.each([
    ['hostname', 'options.hostname is unknown to serve(): did you mean host?'],
    ['Host', 'did you mean host?'],
    ['unix', 'did you mean path?'],
    ['onError', 'did you mean error?'],
    ['maxBodyByte', 'did you mean maxBodyBytes?'],
    ['keepAliveTimout', 'did you mean keepAliveTimeout?'],
    ['maxRequestBodySize', 'did you mean maxBodyBytes?'],
    ['https', 'did you mean tls?'],
    ['cert', 'it belongs into tls: { key, cert, ... }'],
    ['frobnicate', /it takes .*maxHeadBytes, .*host, port, .*fetch$/],
  ])('refuses %s', async (name, message) => {
    const before = Loop.current().metrics().live;
    await expectRefusal(open({ [name]: {} }), message);
    expect(Loop.current().metrics().live).toBe(before);
  });

  it('takes what is undefined for not given, and further members of a class', async () => {
    class Options {
      host = host;
      port = 0;
      fetch = fetch;
      requests = 0;
    }
    serve(given({ host, port: 0, fetch, tls: undefined })).destroy();
    serve(given(new Options())).destroy();
  });

  it('refuses members of a static route, and of the options of stop()', async () => {
    const route = { '/': { body: '', header: {} } };
    await expectRefusal(open({ static: route }), "options.static['/'].header is unknown");
    const server = serve({ host, port: 0, fetch });
    onTestFinished(() => server.destroy());
    await expectRefusal(() => server.stop(given({ timeot: 5 })), 'did you mean timeout?');
  });

  it('refuses options of sendFile(), body() and upgrade()', async () => {
    const errors: string[] = [];
    const server = serve({
      ...{ host, port: 0, upgrade: true },
      async handler(request, response) {
        const calls = [
          () => response.sendFile('/none', given({ contentType: 'text/plain' })),
          () => request.body(given({ max: 5 })),
          () => request.text('utf8' as never),
          () => response.upgrade({}, given({ message() {} })),
        ];
        for (const call of calls) errors.push((await refusalOf(call)).message);
        response.end();
      },
    });
    onTestFinished(() => server.destroy());
    await globalThis.fetch(`http://${host}:${server.port}/`, { method: 'POST', body: 'x' });
    expect(errors).toEqual([
      'options.contentType is unknown to sendFile(): did you mean type?',
      'options.max is unknown to body(): it takes limit',
      'options must be an object, but is "utf8"',
      'handlers.message is unknown to upgrade(): did you mean data?',
    ]);
  });
});

describe('listen() and connect()', () => {
  it('refuse them', async () => {
    const { listener } = await pair();
    const at = { host, port: listener.port };
    await expectRefusal(() => listen(given({ hostname: host, port: 0 })), 'did you mean host?');
    await expectRefusal(() => listen(given({ port: 0, onData() {} })), 'did you mean data?');
    await expectRefusal(() => listen(given({ port: 0, socket: {} })), 'are options themselves');
    await expectRefusal(() => connect(given({ ...at, timout: 5 })), 'did you mean timeout?');
    await expectRefusal(() => connect(given({ ...at, cert: '' })), 'it belongs into tls');
    await expectRefusal(() => listener.stop(given({ timout: 5 })), 'did you mean timeout?');
    expect(listener.connections).toBe(1);
  });
});

describe('the watchdog and the scheduler', () => {
  const tasks = new HybridScheduler();
  const make = (options: object) => () => new HybridScheduler(given(options));
  const calls: [string, () => unknown, string][] = [
    ['Watchdog', () => new Watchdog(given({ limits: 5 })), 'did you mean limit?'],
    ['HybridScheduler', make({ slize: 5 }), 'did you mean slice?'],
    ['debug', make({ debug: { stal: 5 } }), 'options.debug.stal'],
    ['compute', make({ compute: { maxThreads: 5 } }), 'compute.maxThreads'],
    ['run()', () => tasks.run(() => 5, given({ timout: 5 })), 'did you mean timeout?'],
    ['compute()', () => tasks.compute(() => 5, 5, given({ timeOut: 5 })), 'mean timeout?'],
    ['Channel', () => new Channel(given({ size: 5 })), 'did you mean capacity?'],
    ['Semaphore', () => new Semaphore(1, given({ nam: 'x' })), 'did you mean name?'],
    ['TaskGroup', () => new TaskGroup(tasks, given({ signals: 5 })), 'did you mean signal?'],
    ['select()', () => scheduler.select([], given({ timeot: 5 })), 'did you mean timeout?'],
    ['poolPolicy()', () => scheduler.poolPolicy(given({ p95: 5 })), 'options.p95 is unknown'],
    ['dynamicP()', () => scheduler.dynamicP(given({ queues: 5 })), 'did you mean queue?'],
    [
      'handle()',
      () => new Dispatcher(tasks).handle(1, () => 5, given({ decoder: 5 })),
      'did you mean decode?',
    ],
    [
      'open()',
      () => new Dispatcher(tasks).open(1, given({ reply() {}, fail() {}, maxPendig: 5 })),
      'did you mean maxPending?',
    ],
  ];
  it.each(calls)('refuse them: %s', (_name, call, message) => expectRefusal(call, message));
});

describe('functions of ringpoll/fs', () => {
  it('reject them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringpoll-options-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'file');
    writeFileSync(file, 'text');
    const handle = await fs.open(file, 'r+');
    onTestFinished(() => handle.close());
    const engin = given({ engin: 'poll' });
    const calls: (() => unknown)[] = [
      () => fs.open(file, 'r', undefined, engin),
      () => fs.readFile(file, engin),
      () => fs.writeFile(file, 'x', engin),
      () => fs.appendFile(file, 'x', engin),
      () => fs.stat(file, engin),
      () => fs.lstat(file, engin),
      () => fs.rename(file, file, engin),
      () => fs.unlink(file, engin),
      () => fs.truncate(file, 0, engin),
      () => fs.readdir(folder, engin),
      () => fs.copyFile(file, `${file}2`, 0, engin),
      () => handle.read(engin),
      () => handle.read(Buffer.alloc(1), engin),
      () => handle.write(Buffer.alloc(1), engin),
      () => handle.readFile(engin),
      () => handle.writeFile('x', engin),
      () => handle.stat(engin),
      () => handle.sendTo(given({}), engin),
      () => fs.sendFile(given({}), handle, 0, 1, engin),
    ];
    for (const call of calls) await expectRefusal(call, 'did you mean engine?');
    await expectRefusal(() => handle.createReadStream(given({ ends: 5 })), 'did you mean end?');
    await expectRefusal(() => handle.createWriteStream(given({ ends: 5 })), 'options.ends');
    expect(readFileSync(file, 'utf8')).toBe('text');
  });
});

describe('every interface of options', () => {
  // Parts of others, and what a standard, crossws, Fastify or this package alone fills in.
  const PARTS = [
    ...['FairnessOptions', 'HandlerOptions', 'FetchOptions', 'TraceOptions'],
    ...['DrainOptions', 'FastifyServerOptions'],
  ];

  it('has a table of its names, which the compiler holds to it', () => {
    const lib = fileURLToPath(new URL('../../lib', import.meta.url));
    const names = readdirSync(lib, { recursive: true, encoding: 'utf8' });
    const sources = names.filter((name) => name.endsWith('.ts') && !name.startsWith('cli'));
    const text = sources.map((name) => readFileSync(join(lib, name), 'utf8')).join('\n');
    const interfaces = [...text.matchAll(/^export interface (\w+Options)\b/gm)].map(([, n]) => n);
    expect(interfaces).toContain('ListenOptions');
    const without = interfaces.filter(
      (name) =>
        !PARTS.includes(name!) && !new RegExp(`(optionNames|NamesOf)<${name}\\b`).test(text),
    );
    expect(without.filter((name) => !/^(Checked|Resolved|Native)/.test(name!))).toEqual([]);
  });
});
