// The engine option of open() and of single calls: what is asked for is done, or counted and
// explained; the bytes are the same wherever an operation goes.
import nodeFs from 'node:fs';
import { dirname, join } from 'node:path';
import { Loop } from 'ringpoll';
import * as fs from 'ringpoll/fs';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/fs_both.js';
import { evict } from '../support/fs_evict.js';
import { codeOf } from '../support/recorder.js';
import { pair, pattern } from '../support/serve.js';

type Counts = Pick<fs.OperationReport, 'now' | 'ring' | 'pool' | 'refusals'>;

const hasRing = () =>
  Loop.current().capabilities.engines.some((engine) => engine.name === 'uring' && engine.available);
const entry = (name: string) => fs.explain().operations.find((each) => each.operation === name)!;

/** What the work added to the counts of an operation. */
async function added(operation: string, work: () => Promise<unknown>): Promise<Counts> {
  const before = entry(operation);
  await work();
  const after = entry(operation);
  const more = (key: keyof Counts) => after[key] - before[key];
  return { now: more('now'), ring: more('ring'), pool: more('pool'), refusals: more('refusals') };
}

/** Where one operation goes that was asked of the ring. */
const byRing = (): Counts =>
  hasRing() ? { now: 0, ring: 1, pool: 0, refusals: 0 } : { now: 0, ring: 0, pool: 1, refusals: 1 };

const bytes = pattern(10_000);
function existing(): string {
  const path = join(temporaryFolder(), 'file');
  nodeFs.writeFileSync(path, bytes);
  return path;
}

describe("engine: 'uring'", () => {
  it('of a handle sends all its operations to the ring', async () => {
    let handle!: fs.FileHandle;
    const opened = await added('open', async () => {
      handle = await fs.open(existing(), 'r+', undefined, { engine: 'uring' });
    });
    expect(opened).toEqual(byRing());
    const buffer = Buffer.alloc(bytes.length);
    expect(await added('read', () => handle.read(buffer, 0, buffer.length, 0))).toEqual(byRing());
    expect(buffer.equals(bytes)).toBe(true);
    expect(await added('write', () => handle.write(bytes, 0, 100, 50))).toEqual(byRing());
    expect(await added('stat', () => handle.stat())).toEqual(byRing());
    expect(await added('datasync', () => handle.datasync())).toEqual(byRing());
    expect(await added('close', () => handle.close())).toEqual(byRing());
  });

  it('of a call sends that one to the ring, and no other', async () => {
    const handle = await fs.open(existing(), 'r', undefined, { engine: 'pool' });
    const buffer = Buffer.alloc(100);
    const read = (engine?: 'uring') => handle.read(buffer, { position: 5, engine });
    expect(await added('read', () => read('uring'))).toEqual(byRing());
    expect(buffer.equals(bytes.subarray(5, 105))).toBe(true);
    expect((await added('read', () => read())).ring).toBe(0);
    await handle.close();
  });

  it('is known to the functions that open no handle', async () => {
    const path = existing();
    const engine = 'uring';
    expect(await added('stat', () => fs.stat(path, { engine }))).toEqual(byRing());
    expect(await added('stat', () => fs.lstat(path, { engine }))).toEqual(byRing());
    const whole = await added('open', async () => {
      expect((await fs.readFile(path, { engine })).equals(bytes)).toBe(true);
    });
    expect(whole).toEqual(byRing());
    expect(await added('write', () => fs.writeFile(path, 'hello', { engine }))).toEqual(byRing());
    expect(await added('write', () => fs.appendFile(path, ' you', { engine }))).toEqual(byRing());
    expect(nodeFs.readFileSync(path, 'utf8')).toBe('hello you');
    const shorter = await added('open', () => fs.truncate(path, 3, { engine }));
    expect(shorter).toEqual(byRing());
    const other = `${path}2`;
    // The ring may have neither of these two on an old kernel.
    for (const [operation, work] of [
      ['rename', () => fs.rename(path, other, { engine })],
      ['unlink', () => fs.unlink(other, { engine })],
    ] as const) {
      const { ring, pool, refusals } = await added(operation, work);
      expect([ring + pool, pool]).toEqual([1, refusals]);
    }
    expect(nodeFs.existsSync(other)).toBe(false);
  });

  it('is refused with a reason where there is no ring', async (context) => {
    context.skip(hasRing(), 'there is a ring');
    await fs.stat(existing(), { engine: 'uring' });
    const { refusals, reason } = entry('stat');
    expect(refusals).toBeGreaterThan(0);
    expect(reason).toMatch(/^no ring: ./);
    const { file } = Loop.current().explain();
    expect(file.refusals).toBeGreaterThan(0);
  });
});

describe("engine: 'pool'", () => {
  it('leaves the ring alone', async () => {
    const path = existing();
    const engine = 'pool';
    const ringUses = () => fs.explain().operations.reduce((sum, { ring }) => sum + ring, 0);
    const before = ringUses();
    const handle = await fs.open(path, 'r+', undefined, { engine });
    expect((await handle.readFile()).equals(bytes)).toBe(true);
    await handle.write(Buffer.from('x'), 0, 1, 0);
    await handle.sync();
    await handle.truncate(2);
    await handle.close();
    expect((await fs.stat(path, { engine })).size).toBe(2);
    await fs.writeFile(path, 'new', { engine, flush: true });
    expect(await fs.readFile(path, { encoding: 'utf8', engine })).toBe('new');
    await fs.rename(path, `${path}2`, { engine });
    await fs.unlink(`${path}2`, { engine });
    expect(ringUses()).toBe(before);
  });
});

describe('what has one side only', () => {
  const engines = ['uring', 'pool', 'auto'] as const;
  it.each(engines)('goes there, whatever is asked for: %s', async (engine) => {
    const path = existing();
    const refusals = engine === 'uring' ? 1 : 0;
    const byPool = { now: 0, ring: 0, pool: 1, refusals };
    const listed = await added('readdir', async () => {
      expect(await fs.readdir(dirname(path), { engine })).toEqual(['file']);
      const [entry] = await fs.readdir(dirname(path), { engine: 'auto', withFileTypes: true });
      expect(entry!.isFile()).toBe(true);
    });
    expect(listed).toEqual({ ...byPool, pool: 2 });
    const copied = await added('copyFile', () => fs.copyFile(path, `${path}2`, 0, { engine }));
    expect(copied).toEqual(byPool);
    expect(nodeFs.readFileSync(`${path}2`).equals(bytes)).toBe(true);
    expect(entry('readdir').reason).toContain('no operation that lists');
    expect(entry('copyFile').reason).toContain('clones or copies');
  });
});

describe('sendFile()', () => {
  const large = pattern(600_000);
  // At most 16 KB would leave with what is written beside them, and more by sendfile(2).
  const files = [bytes, large];

  /** Sends the file and compares what arrived. */
  async function send(contents: Buffer, engine: fs.EngineHint, ofHandle: boolean) {
    const path = existing();
    nodeFs.writeFileSync(path, contents);
    const { server, peer } = await pair();
    const handle = await fs.open(path, 'r', undefined, ofHandle ? { engine } : {});
    const options = ofHandle ? undefined : { engine };
    server.connection.write('head');
    const counts = await added('sendFile', async () => {
      await fs.sendFile(server.connection, handle, 0, contents.length, options);
      server.connection.end('tail');
      await peer.untilEnd();
    });
    const expected = Buffer.concat([Buffer.from('head'), contents, Buffer.from('tail')]);
    expect(Buffer.concat(peer.chunks).equals(expected)).toBe(true);
    await handle.close();
    return counts;
  }
  const fetches = () => Loop.current().metrics().fileFetches;
  const sendfiles = () => Loop.current().metrics().fileSends;

  it.each([true, false])("reads by the ring with 'uring' (of the handle: %s)", async (ofHandle) => {
    for (const contents of files) {
      const before = [fetches(), sendfiles()];
      const counts = await send(contents, 'uring', ofHandle);
      if (hasRing()) {
        expect(counts).toEqual({ now: 0, ring: 1, pool: 0, refusals: 0 });
        expect(fetches()).toBeGreaterThan(before[0]!);
        expect(sendfiles()).toBe(before[1]);
      } else {
        expect(counts).toEqual({ now: 1, ring: 0, pool: 0, refusals: 1 });
        expect(entry('sendFile').reason).toMatch(/^no ring: ./);
      }
    }
  });

  it.each([true, false])("does without it with 'pool' (of the handle: %s)", async (ofHandle) => {
    for (const contents of files) {
      const counts = await send(contents, 'pool', ofHandle);
      expect(counts).toEqual({ now: 1, ring: 0, pool: 0, refusals: 0 });
    }
  });

  it("reads by libuv's pool what is not in the page cache, with 'pool'", async (context) => {
    const path = existing();
    nodeFs.writeFileSync(path, large);
    context.skip(!evict(path), 'the page cache cannot be emptied here');
    const { server, peer } = await pair();
    const handle = await fs.open(path);
    const counts = await added('read', async () => {
      await handle.sendTo(server.connection, { start: 1000, engine: 'pool' });
      server.connection.end();
      await peer.untilEnd();
    });
    expect(counts.ring).toBe(0);
    expect(Buffer.concat(peer.chunks).equals(large.subarray(1000))).toBe(true);
    await handle.close();
  });
});

describe('an engine that nobody knows', () => {
  it('is an error of the call', async () => {
    const options = { engine: 'epoll' as 'pool' };
    const path = existing();
    const { server } = await pair();
    const handle = await fs.open(path, 'r+');
    const calls = [
      () => fs.open(path, 'r', undefined, options),
      () => fs.readFile(path, options),
      () => fs.writeFile(path, '', options),
      () => fs.stat(path, options),
      () => fs.unlink(path, options),
      () => fs.readdir(dirname(path), options),
      () => fs.copyFile(path, `${path}2`, 0, options),
      () => fs.sendFile(server.connection, handle, 0, 1, options),
      () => handle.sendTo(server.connection, options),
      () => handle.read(Buffer.alloc(1), options),
      () => handle.write(Buffer.alloc(1), options),
      () => handle.readFile(options),
    ];
    for (const call of calls) {
      const error = await call().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(codeOf(error)).toBe('ERR_RINGPOLL_INVALID_ARG_VALUE');
    }
    await handle.close();
    expect(nodeFs.readFileSync(path).equals(bytes)).toBe(true);
  });
});

describe('explain()', () => {
  it('tells what reads of each size cost', async () => {
    const handle = await fs.open(existing());
    const buffer = Buffer.alloc(4096);
    for (let i = 0; i < 200; i++) await handle.read(buffer, 0, 4096, 0);
    await handle.close();
    const { costs } = entry('read');
    const all = [...costs.now, ...costs.ring, ...costs.pool].filter(
      (each) => each.bytesMax === 4096,
    );
    expect(all.reduce((sum, { samples }) => sum + samples, 0)).toBeGreaterThanOrEqual(3);
    for (const { microseconds } of all) expect(microseconds).toBeGreaterThan(0);
    const { file } = Loop.current().explain();
    expect(file.total).toBe(file.ways.now! + file.ways.ring! + file.ways.pool!);
    expect(file.operations.map(({ operation }) => operation)).toContain('read');
  });
});
