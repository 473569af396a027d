// TieredQueue: order and counts over memory and disk, sinks that fail, processes that are killed,
// files that are cut or damaged, and a disk that is full.
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TieredQueue, type TieredQueueOptions } from 'ringpoll/queues';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DiskLog } from '../../lib/queues/disk_log.js';
import { startProgram } from '../support/program.js';
import { Random } from '../support/random.js';

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-tiered-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const logs = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.log'));

/** A sink that takes nothing until it is opened. */
function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const got: number[] = [];
  const sink = async (items: number[]) => {
    await opened;
    got.push(...items);
  };
  return { sink, got, open };
}

const opened = (options: Partial<TieredQueueOptions<number>> & { folder: string }) =>
  TieredQueue.open<number>({ sink: () => {}, fsync: 'never', ...options });

describe('a tiered queue', () => {
  it('overflows to the disk, and empties in order', async () => {
    const folder = makeFolder();
    const { sink, got, open } = gate();
    const queue = await opened({ folder, sink, memory: 5, batch: 3, segmentBytes: 200 });
    const tiers = await Promise.all(numbers(0, 100).map((n) => queue.push(n)));
    expect(tiers).toEqual(numbers(0, 100).map((n) => (n < 5 ? 'memory' : 'disk')));
    expect(queue.counts).toMatchObject({ memory: 5, done: 0 });
    expect(queue.counts.diskBytes).toBeGreaterThan(95 * 9);
    expect(logs(folder).length).toBeGreaterThan(0);
    open();
    await queue.drained();
    expect(got).toEqual(numbers(0, 100));
    expect(queue.counts).toMatchObject({ memory: 0, diskBytes: 0, done: 100 });
    expect(logs(folder)).toEqual([]);
    // It is a queue in memory again.
    expect(await queue.push(100)).toBe('memory');
    await queue.stop();
    expect(got.at(-1)).toBe(100);
  });

  it('keeps the order whatever comes when', async () => {
    const random = new Random(11);
    const folder = makeFolder();
    const got: number[] = [];
    let fails = 0;
    const queue = await opened({
      folder,
      memory: 4,
      batch: 5,
      segmentBytes: 150,
      fsync: 1,
      retries: [0],
      async sink(items) {
        for (let i = random.below(3); i > 0; i--) await new Promise((r) => setImmediate(r));
        if (random.chance(0.2)) {
          fails++;
          throw new Error('the sink fails');
        }
        got.push(...items);
      },
    });
    for (let n = 0; n < 600; ) {
      const burst = random.below(20);
      await Promise.all(numbers(n, n + burst).map((each) => queue.push(each)));
      n += burst;
      if (random.chance(0.3)) await queue.drained();
    }
    await queue.drained();
    expect(got).toEqual(numbers(0, got.length));
    expect(queue.counts).toMatchObject({ failures: fails, done: got.length, diskBytes: 0 });
    await queue.stop();
  });

  it('gives the sink the same items until it takes them, or they are given up', async () => {
    const told: string[] = [];
    const seen: [number[], number][] = [];
    const queue = await opened({
      folder: makeFolder(),
      timeout: 30,
      retries: [1],
      batch: 2,
      drop: (items, _, attempt) => items.includes(0) && attempt === 3,
      error: (error) => told.push(error.message),
      sink(items, { attempt, signal }) {
        seen.push([items, attempt]);
        if (items.includes(0)) throw new Error('poison');
        if (attempt > 1) return undefined;
        return new Promise((_, reject) => signal.addEventListener('abort', reject));
      },
    });
    for (const n of [0, 1, 2]) await queue.push(n);
    await queue.drained();
    const [first] = seen as [[number[], number]];
    expect(seen.filter(([items]) => items.includes(0))).toEqual(
      [1, 2, 3].map((i) => [first[0], i]),
    );
    expect(seen.at(-1)?.[1]).toBe(2);
    expect(told).toContain('poison');
    expect(told).toContain('The sink has not ended within 30 ms');
    expect(queue.counts.dropped).toBe(first[0].length);
    await queue.stop();
  });

  it('writes to the disk at its end what is in memory, ahead of what is there', async () => {
    const folder = makeFolder();
    const { sink } = gate();
    const queue = await opened({ folder, sink, memory: 5, batch: 2 });
    for (const n of numbers(0, 20)) await queue.push(n);
    await queue.stop({ timeout: 10 });
    await expect(queue.push(1)).rejects.toMatchObject({ code: 'ERR_RINGPOLL_QUEUE_CLOSED' });
    const next = gate();
    const again = await opened({ folder, sink: next.sink, memory: 5 });
    expect(await again.push(20)).toBe('disk');
    next.open();
    await again.stop();
    expect(next.got).toEqual(numbers(0, 21));
    expect(logs(folder)).toEqual([]);
  });

  it('holds no more on the disk than it is told', async () => {
    const { sink, open } = gate();
    const queue = await opened({ folder: makeFolder(), sink, memory: 0, maxDiskBytes: 100 });
    const pushes = await Promise.allSettled(numbers(0, 20).map((n) => queue.push(n)));
    const refused = pushes.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBe(9);
    expect(refused[0]).toMatchObject({ reason: { code: 'ERR_RINGPOLL_QUEUE_FULL' } });
    open();
    await queue.drained();
    expect(await queue.push(1)).toBe('disk');
    await queue.stop();
    expect(queue.counts.done).toBe(12);
  });

  it('refuses options that it does not know', async () => {
    const given = (options: object) => TieredQueue.open({ sink() {}, folder: 'x', ...options });
    await expect(given({ sync: 1 })).rejects.toMatchObject({ code: 'ERR_RINGPOLL_UNKNOWN_OPTION' });
    for (const wrong of [{ fsync: 'often' }, { sink: 1 }, { folder: '' }, { retries: [] }]) {
      const error = { code: 'ERR_RINGPOLL_INVALID_ARG_TYPE' };
      await expect(given(wrong)).rejects.toMatchObject(error);
    }
    await expect(given({ fsync: 0 })).rejects.toMatchObject({ code: 'ERR_RINGPOLL_OUT_OF_RANGE' });
  });
});

describe('the files of a tiered queue', () => {
  const all = ['first', 'second record', 'x'.repeat(300), 'fourth'];

  async function make(): Promise<string> {
    const folder = makeFolder();
    const options = { folder, segmentBytes: 1e6, syncMs: 0, failed() {} };
    const log = await DiskLog.open(options);
    await log.append(all.map((text) => Buffer.from(text)));
    await log.close();
    return join(folder, logs(folder)[0] as string);
  }

  async function readBack(bytes: Buffer, name: string) {
    const folder = makeFolder();
    writeFileSync(join(folder, name), bytes);
    const told: Error[] = [];
    const failed = (error: Error) => void told.push(error);
    const log = await DiskLog.open({ folder, segmentBytes: 1e6, syncMs: undefined, failed });
    // What comes after a crash is read behind what was before.
    await log.append([Buffer.from('after')]);
    const found: string[] = [];
    for (let records = await log.peek(3); records !== undefined; records = await log.peek(3)) {
      found.push(...records.list.map(String));
      await log.advance(records.end);
    }
    expect(log.bytes).toBe(0);
    await log.close();
    expect(logs(folder)).toEqual([]);
    return { found, told };
  }

  it('that were cut anywhere are read up to there', async () => {
    const path = await make();
    const bytes = readFileSync(path);
    const ends = all.map((_, i) =>
      all.slice(0, i + 1).reduce((sum, text) => sum + 8 + text.length, 0),
    );
    for (let length = 0; length <= bytes.length; length += length < 20 ? 1 : 29) {
      const { found, told } = await readBack(bytes.subarray(0, length), path.slice(-20));
      const whole = ends.filter((end) => end <= length).length;
      expect(found).toEqual([...all.slice(0, whole), 'after']);
      expect(told.length).toBe(length === 0 || ends.includes(length) ? 0 : 1);
    }
  });

  it('that are damaged anywhere give nothing that was not written', async () => {
    const path = await make();
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at += at < 20 ? 1 : 29) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 0x41;
      const { found, told } = await readBack(damaged, path.slice(-20));
      expect(found.at(-1)).toBe('after');
      expect(found.slice(0, -1)).toEqual(all.slice(0, found.length - 1));
      expect(found.length).toBeLessThan(all.length + 1);
      expect(told.length).toBe(1);
    }
  });

  it('begin again at the oldest record when the place is not known', async () => {
    const path = await make();
    const folder = makeFolder();
    copyFileSync(path, join(folder, path.slice(-20)));
    for (const head of ['', 'nonsense', '1 2 3', '\0'.repeat(30)]) {
      writeFileSync(join(folder, 'head'), head);
      const log = await DiskLog.open({ folder, segmentBytes: 1e6, syncMs: 0, failed() {} });
      expect((await log.peek(1))?.list.map(String)).toEqual(['first']);
      await log.close();
    }
  });
});

/** A program starts, on a machine that may be busy. */
const START_MS_MAX = 25_000;

/** What lines of a program say of numbers. */
function read(stdout: string) {
  const of = (word: string) =>
    [...stdout.matchAll(new RegExp(`^${word} (\\d+)`, 'gm'))].map(([, n]) => Number(n));
  return { kept: of('kept'), sunk: of('sunk'), refused: of('refused') };
}

describe('a process that is killed', () => {
  it.each([
    ['0', 'always', 4],
    ['0', 'never', 4],
    ['20', '5', 4],
  ])(
    'with %s items in memory and fsync %s loses nothing of the disk',
    async (memory, fsync, kills) => {
      const random = new Random(3);
      const folder = makeFolder();
      const kept = new Set<number>();
      const sunk: number[] = [];
      let next = 0;
      for (let i = 0; i < kills; i++) {
        const program = startProgram('tiered', { args: [folder, memory, fsync, String(next)] });
        for (let lines = random.below(150) + 1; lines > 0; lines--)
          await program.line(START_MS_MAX);
        program.child.kill('SIGKILL');
        const { stdout } = await program.ending();
        expect(stdout).not.toContain('refused');
        const said = read(stdout.slice(0, stdout.lastIndexOf('\n') + 1));
        for (const n of said.kept) kept.add(n);
        // The same again at most: what was under way.
        const again = said.sunk.filter((n) => n <= (sunk.at(-1) ?? -1));
        expect(again.length).toBeLessThanOrEqual(7);
        sunk.push(...said.sunk);
        next = Math.max(next, ...said.kept.map((n) => n + 1), ...said.sunk.map((n) => n + 1)) + 10;
      }
      const rest: number[] = [];
      const queue = await opened({ folder, sink: (items) => void rest.push(...items) });
      await queue.drained();
      await queue.stop();
      const all = new Set([...sunk, ...rest]);
      expect([...kept].filter((n) => !all.has(n))).toEqual([]);
      expect(kept.size).toBeGreaterThan(0);
      // In order, within each life and over all of them.
      const order = [...sunk, ...rest];
      const back = order.filter((n, i) => i > 0 && n < order[i - 1]!);
      expect(back.length).toBeLessThanOrEqual(kills);
    },
    120_000,
  );

  it('refuses what there is no room for, and keeps what it has taken', {
    timeout: 30_000,
  }, async () => {
    const folder = makeFolder();
    const program = startProgram('tiered', {
      launcher: ['bash', '-c', 'ulimit -f 4; exec "$0" "$@"'],
      args: [folder, '0', 'always', '0', '1000000', '20'],
    });
    for (let line = ''; !line.startsWith('refused'); ) line = await program.line(START_MS_MAX);
    for (let lines = 300; lines > 0; lines--) await program.line(START_MS_MAX);
    program.child.kill('SIGKILL');
    const { stdout } = await program.ending();
    expect(stdout).toMatch(/^refused \d+ EFBIG$/m);
    expect(stdout).not.toContain('told');
    const { kept, sunk, refused } = read(stdout.slice(0, stdout.lastIndexOf('\n') + 1));
    const rest: number[] = [];
    const queue = await opened({ folder, sink: (items) => void rest.push(...items) });
    await queue.drained();
    await queue.stop();
    const all = new Set([...sunk, ...rest]);
    expect(kept.filter((n) => !all.has(n))).toEqual([]);
    expect(refused.filter((n) => all.has(n))).toEqual([]);
  });
});
