// What careless jobs do to the compute pool, with real workers.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { CodeBook } from '../../lib/scheduler/compute/code.js';
import { type ComputeOptions, ComputePool } from '../../lib/scheduler/index.js';

const jobs = new URL('../support/compute-jobs.mjs', import.meta.url);
const entry = new URL('../../dist/scheduler/compute/worker.js', import.meta.url);

let pool: ComputePool;

function open(options: ComputeOptions = {}): ComputePool {
  pool = new ComputePool({ policy: 'fixed', size: 1, entry, ...options });
  return pool;
}

/** What the job of that name comes to; a function of source text, as no bundler has touched it. */
const job = (text: string) => new Function(`return (${text})`)() as (value: unknown) => unknown;
const outcome = (promise: Promise<unknown>) =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error: error as Error & { code?: unknown } }),
  );

beforeEach((context) => {
  context.skip(!existsSync(entry), 'dist is not built: workers have no file to run');
});

afterEach(() => pool?.close());

describe('a job', () => {
  it('that uses what was around it fails, and says why that is not there', async () => {
    open();
    const result = await outcome(pool.run(job('(value) => value + surrounding'), 1));
    expect(result).toMatchObject({ error: { name: 'ReferenceError' } });
    expect((result as { error: Error }).error.message).toBe(
      'surrounding is not defined (the function runs in a worker, from its text: ' +
        'it sees its argument alone)',
    );
  });

  it('may post messages of its own, which are nobody’s', async () => {
    open();
    const posts = job(`async (messages) => {
      const { parentPort } = await import('node:worker_threads');
      for (const message of messages) parentPort.postMessage(message);
      return 'answered';
    }`);
    const messages = [null, undefined, 5, 'text', {}, { kind: 'other' }, []];
    expect(await pool.run(posts, messages)).toBe('answered');
    expect(await pool.run(jobs, 2)).toBe(4);
    expect(pool.metrics()).toMatchObject({ completed: 2, failed: 0, crashed: 0, busy: 0 });
  });

  it.each([
    ['undefined', 'undefined', undefined],
    ['null', 'null', null],
    ['a text', '"text"', 'text'],
  ])('may throw %s', async (_, thrown, expected) => {
    open();
    const result = await outcome(pool.run(job(`() => { throw ${thrown}; }`), 1));
    expect(result).toEqual({ error: expected });
  });

  it.each([
    ['a function in an error', 'Object.assign(new Error("why"), { helper() {} })', 'Error: why'],
    ['a symbol', 'Symbol("s")', 'Symbol(s)'],
    ['a function', 'function thrown() {}', 'function thrown() {}'],
    ['what has no text', 'Object.assign(Object.create(null), { helper() {} })', 'something that'],
  ])('may throw what cannot be cloned: %s', async (_, thrown, text) => {
    open();
    const result = await outcome(pool.run(job(`() => { throw ${thrown}; }`), 1));
    const { error } = result as { error: Error & { code?: unknown } };
    // An error loses what it carries, or is told in words.
    expect(error.message === 'why' || error.message.startsWith(text)).toBe(true);
    expect(error.code).toBeUndefined();
    expect(await pool.run(jobs, 2)).toBe(4);
    expect(pool.metrics()).toMatchObject({ crashed: 0 });
  });

  it('keeps name and message of an error that is not of the language', async () => {
    open();
    const aborted = 'new DOMException("given up", "AbortError")';
    const result = await outcome(pool.run(job(`() => { throw ${aborted}; }`), 1));
    expect((result as { error: Error }).error).toBeInstanceOf(Error);
    expect(result).toMatchObject({ error: { name: 'AbortError', message: 'given up' } });
    const own = '(class Own extends Error { name = "Own" })';
    const second = await outcome(pool.run(job(`() => { throw new ${own}("mine"); }`), 1));
    expect(second).toMatchObject({ error: { name: 'Own', message: 'mine' } });
  });

  it('that returns what cannot be cloned fails, and says what', async () => {
    open();
    const result = await outcome(pool.run(job('() => () => {}'), 1));
    expect(result).toMatchObject({ error: { code: 'ERR_RINGPOLL_WORKER_UNFIT' } });
    const { error } = result as { error: Error };
    expect(error.message).toMatch(/result of the job cannot be cloned: .*could not be cloned/);
    expect(await pool.run(jobs, 2)).toBe(4);
  });

  it('whose module does not load fails with its own error each time, until it does', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringpoll-compute-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const url = pathToFileURL(join(folder, 'job.mjs'));
    open({ warm: [url] });
    for (let turn = 0; turn < 3; turn++) {
      const result = await outcome(pool.run(url, 1));
      expect(result).toMatchObject({ error: { code: 'ERR_MODULE_NOT_FOUND' } });
      expect((result as { error: Error }).error.message).toContain('job.mjs');
    }
    writeFileSync(url, 'export default (value) => value + 1;');
    pool.resize(1);
    expect(await outcome(pool.run(new URL('?new', url), 1))).toEqual({ value: 2 });
  });

  it('of the same text is the same code, however often it is made', () => {
    const codes = new CodeBook();
    const ids = [0, 1, 0, 1].map((term) => codes.codeFor(job(`(value) => value + ${term}`)).id);
    expect(ids).toEqual([1, 2, 1, 2]);
    for (let other = 0; other < 2000; other++) codes.codeFor(job(`() => ${other}`));
    // Forgotten, and so sent anew.
    expect(codes.codeFor(job('(value) => value + 0')).id).toBe(2003);
  });

  it('is cloned when a worker takes it', async () => {
    open();
    const data = { value: 1 };
    const first = pool.run(job('({ value }) => value'), data);
    data.value = 2;
    // The worker was still warming up.
    expect(await first).toBe(2);
  });
});

describe('the options', () => {
  const code = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      return (error as { code: string }).code;
    }
    return undefined;
  };

  it('of a job are checked', () => {
    open();
    const type = 'ERR_RINGPOLL_INVALID_ARG_TYPE';
    const range = 'ERR_RINGPOLL_OUT_OF_RANGE';
    expect(code(() => pool.run(jobs, 1, null as never))).toBe(type);
    expect(code(() => pool.run(jobs, 1, { signal: {} as never }))).toBe(type);
    expect(code(() => pool.run(jobs, 1, { timeout: '1' as never }))).toBe(type);
    for (const timeout of [-1, Number.NaN, 2 ** 31]) {
      expect(code(() => pool.run(jobs, 1, { timeout }))).toBe(range);
    }
    expect(pool.metrics().queue).toBe(0);
  });

  it('of the pool are checked', () => {
    const value = 'ERR_RINGPOLL_INVALID_ARG_VALUE';
    const make = (policy: unknown) => () => new ComputePool({ entry, policy: policy as never });
    expect(code(make('none'))).toBe(value);
    expect(code(make({}))).toBe(value);
    expect(code(make(null))).toBe(value);
    const decide = () => ({ size: 1, reason: '', state: undefined });
    const policy = { name: 'x', interval: 0, initial: undefined, decide };
    expect(code(make(policy))).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
  });
});

describe('close()', () => {
  it('keeps the process until the workers are gone, when the last job ends meanwhile', async () => {
    const program = `
      import { HybridScheduler } from 'ringpoll/scheduler';
      const scheduler = new HybridScheduler({ compute: { size: 1, max: 2, policy: 'fixed' } });
      const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms)).then(() => 'job');
      await scheduler.compute(later, 0);
      scheduler.computePool.resize(2);
      const job = scheduler.compute(later, 50);
      const closing = scheduler.close();
      console.log(await job);
      await closing;
      console.log('closed');`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      program,
    ]);
    expect(stdout).toBe('job\nclosed\n');
  });

  it('resolves for everybody when the workers are gone, and not before', async () => {
    open();
    const running = pool.run(jobs, 50, { export: 'later' });
    await pool.run(jobs, 1).catch(() => {});
    const closes = [pool.close(), pool.close()];
    await Promise.all(closes.map((closing) => closing.then(() => expect(pool.spread).toEqual([]))));
    await running;
  });

  it('fails the jobs that wait, and ends by force the one that does not end', async () => {
    open({ killAfter: 2500 });
    await pool.run(jobs, 1);
    const endless = outcome(pool.run(jobs, undefined, { export: 'loops' }));
    const waiting = outcome(pool.run(jobs, 1));
    await pool.close();
    expect(await waiting).toMatchObject({ error: { code: 'ERR_RINGPOLL_SCHEDULER_CLOSED' } });
    expect(await endless).toMatchObject({ error: { code: 'ERR_RINGPOLL_WORKER_EXITED' } });
    expect(pool.metrics()).toMatchObject({ killed: 1, size: 0 });
  });
});
