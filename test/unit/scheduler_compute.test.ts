// The compute pool, with real workers.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ComputeOptions,
  ComputePool,
  HybridScheduler,
  type PoolPolicy,
  type PoolSample,
  type ScaleEvent,
} from '../../lib/scheduler/index.js';

const jobs = new URL('../support/compute-jobs.mjs', import.meta.url);
const entry = new URL('../../dist/scheduler/compute/worker.js', import.meta.url);

let pool: ComputePool;

function open(options: ComputeOptions = {}): ComputePool {
  pool = new ComputePool({ policy: 'fixed', size: 1, entry, ...options });
  return pool;
}

/** Waits until the metrics are as wanted; they change with messages from workers. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

beforeEach((context) => {
  context.skip(!existsSync(entry), 'dist is not built: workers have no file to run');
});

afterEach(() => pool?.close());

describe('compute()', () => {
  it('runs functions by their text, and modules by their URL', async () => {
    const scheduler = new HybridScheduler({ compute: { entry, size: 2 } });
    pool = scheduler.computePool;
    expect(await scheduler.compute((value: number) => value + 1, 41)).toBe(42);
    expect(await scheduler.compute(async (value: number) => value * 3, 5)).toBe(15);
    expect(await scheduler.compute(jobs, 21)).toBe(42);
    expect(await scheduler.compute(jobs.href, 4)).toBe(8);
    const { name } = { name: (value: string) => value.toUpperCase() };
    expect(await scheduler.compute(name, 'a')).toBe('A');
    const methods = {
      method(value: number) {
        return value - 1;
      },
    };
    expect(await scheduler.compute(methods.method, 3)).toBe(2);
    expect(scheduler.metrics().compute).toMatchObject({ completed: 6, failed: 0 });
    await scheduler.close();
    expect(() => scheduler.compute(jobs, 1)).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_SCHEDULER_CLOSED' }),
    );
  });

  it('moves what is to be transferred', async () => {
    const buffer = new ArrayBuffer(1000);
    const options = { export: 'bytes', transfer: [buffer] };
    expect(await open().run(jobs, buffer, options)).toBe(1000);
    expect(buffer.byteLength).toBe(0);
  });

  it('rejects with the error of the job, its class of error and code included', async () => {
    const failed = open().run(jobs, 'E_CODE', { export: 'fail' });
    await expect(failed).rejects.toMatchObject({ message: 'by the job', code: 'E_CODE' });
    await expect(failed).rejects.toBeInstanceOf(RangeError);
    await expect(pool.run(jobs, 1, { export: 'nothing' })).rejects.toThrow(/no function nothing/);
    const missing = new URL('missing.mjs', jobs);
    await expect(pool.run(missing, 1)).rejects.toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' });
    expect(pool.metrics()).toMatchObject({ failed: 3, crashed: 0 });
  });

  it('refuses what cannot run or travel', async () => {
    open();
    expect(() => pool.run(1 as never, 1)).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_INVALID_ARG_TYPE' }),
    );
    expect(() => pool.run('no url', 1)).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_INVALID_ARG_VALUE' }),
    );
    expect(() => pool.run(Math.max as never, 1)).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_WORKER_UNFIT' }),
    );
    await expect(pool.run(jobs, () => {})).rejects.toMatchObject({ name: 'DataCloneError' });
    expect(await pool.run(jobs, 1)).toBe(2);
  });

  it('refuses jobs beyond its queue', async () => {
    open({ queueMax: 2 });
    const taken = [1, 2].map((value) => pool.run(jobs, value));
    await expect(pool.run(jobs, 3)).rejects.toMatchObject({ code: 'ERR_RINGPOLL_OVERLOADED' });
    expect(await Promise.all(taken)).toEqual([2, 4]);
  });
});

describe('a job', () => {
  it('that never ends is ended with its worker at the deadline', async () => {
    open();
    await pool.run(jobs, 1);
    const looping = pool.run(jobs, undefined, { export: 'loops', timeout: 50 });
    const next = pool.run(jobs, 4);
    await expect(looping).rejects.toMatchObject({ code: 'ERR_RINGPOLL_DEADLINE' });
    expect(await next).toBe(8);
    expect(pool.metrics()).toMatchObject({ killed: 1, crashed: 0 });
  });

  it('can be given up by a signal, before and while it runs', async () => {
    open();
    await pool.run(jobs, 1);
    const controller = new AbortController();
    const { signal } = controller;
    const running = pool.run(jobs, undefined, { export: 'loops', signal });
    const waiting = pool.run(jobs, 1, { signal });
    const refused = pool.run(jobs, 1, { signal: AbortSignal.abort('before') });
    await expect(refused).rejects.toBe('before');
    expect(pool.metrics()).toMatchObject({ busy: 1, queue: 1 });
    controller.abort('enough');
    await expect(running).rejects.toBe('enough');
    await expect(waiting).rejects.toBe('enough');
    expect(await pool.run(jobs, 2)).toBe(4);
  });

  it('whose worker exits is rejected, and the worker replaced', async () => {
    open();
    const exiting = pool.run(jobs, 3, { export: 'exits' });
    await expect(exiting).rejects.toMatchObject({ code: 'ERR_RINGPOLL_WORKER_EXITED' });
    expect(await pool.run(jobs, 2)).toBe(4);
    expect(pool.metrics()).toMatchObject({ crashed: 1, size: 1 });
  });
});

describe('the size of the pool', () => {
  it('grows by workers that are warm before they get work', async () => {
    open({ max: 4, warm: [jobs] });
    await pool.run(jobs, 1);
    const events: ScaleEvent[] = [];
    pool.on('scale', (event) => events.push(event));
    pool.resize(3, 'a test');
    expect(pool.metrics()).toMatchObject({ size: 3, warming: 2 });
    expect(events).toEqual([{ from: 1, to: 3, reason: 'a test', policy: 'manual' }]);
    await until(() => pool.metrics().warming === 0);
    const work = Array.from({ length: 6 }, () => pool.run(jobs, 20, { export: 'later' }));
    expect(new Set(await Promise.all(work)).size).toBe(3);
  });

  it('shrinks by draining: a job under way is finished first', async () => {
    open({ max: 4, size: 3 });
    await until(() => pool.metrics().warming === 0);
    const work = Array.from({ length: 3 }, () => pool.run(jobs, 30, { export: 'later' }));
    expect(pool.metrics().busy).toBe(3);
    pool.resize(1);
    expect(pool.size).toBe(1);
    expect(new Set(await Promise.all(work)).size).toBe(3);
    await until(() => pool.spread.length === 1);
    expect(pool.metrics()).toMatchObject({ size: 1, killed: 0, crashed: 0 });
    expect(await pool.run(jobs, 2)).toBe(4);
  });

  it('keeps a busy worker that was to leave when it grows again', async () => {
    open({ max: 2, size: 2 });
    await until(() => pool.metrics().warming === 0);
    const work = [1, 2].map(() => pool.run(jobs, 20, { export: 'later' }));
    pool.resize(1);
    pool.resize(2);
    expect(pool.metrics()).toMatchObject({ size: 2, warming: 0, busy: 2 });
    await Promise.all(work);
  });

  it('stays within its limits', () => {
    open({ min: 1, max: 2 });
    for (const size of [0, 3, 1.5]) {
      expect(() => pool.resize(size)).toThrow(
        expect.objectContaining({ code: 'ERR_RINGPOLL_OUT_OF_RANGE' }),
      );
    }
  });

  it('follows its policy, which is told what was measured', async () => {
    const samples: PoolSample[] = [];
    const policy: PoolPolicy<unknown> = {
      name: 'test',
      interval: 60,
      initial: 0,
      decide(state, sample) {
        samples.push(sample);
        return { size: sample.size < 2 ? 2 : sample.size, reason: 'a reason', state };
      },
    };
    const scheduler = new HybridScheduler({ compute: { entry, policy, size: 1, max: 4 } });
    pool = scheduler.computePool;
    const scaled = once(scheduler, 'scale');
    const work = Array.from({ length: 8 }, () => pool.run(jobs, 30, { export: 'later' }));
    expect(await scaled).toEqual([{ from: 1, to: 2, reason: 'a reason', policy: 'test' }]);
    await Promise.all(work);
    await until(() => samples.length >= 3);
    expect(samples[0].size).toBe(1);
    expect(Math.max(...samples.map(({ p95Ms }) => p95Ms))).toBeGreaterThan(30);
    for (const { cpu, idle } of samples) {
      for (const share of [cpu, idle]) {
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1);
      }
    }
    await scheduler.close();
  });

  it('leaves no worker behind when it is closed', async () => {
    open({ size: 2, max: 2 });
    const work = pool.run(jobs, 10, { export: 'later' });
    await until(() => pool.metrics().busy === 1);
    const queued = [1, 2, 3].map((value) => pool.run(jobs, value));
    for (const job of queued) job.catch(() => {});
    await pool.close();
    await expect(work).resolves.toBeTypeOf('number');
    expect(pool.spread).toEqual([]);
    await expect(queued[2]).rejects.toMatchObject({ code: 'ERR_RINGPOLL_SCHEDULER_CLOSED' });
  });

  it('does not keep a process alive, except for jobs and for the end of close()', async () => {
    const index = new URL('../../dist/scheduler/index.js', import.meta.url);
    const script = `
      import { HybridScheduler } from '${index}';
      const scheduler = new HybridScheduler();
      console.log(await scheduler.compute((value) => value + 1, 1));
      if (process.argv[1] === 'close') {
        await scheduler.close();
        console.log('closed');
      }`;
    const run = async (...args: string[]) => {
      const options = { timeout: 8000 };
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '--eval', script, ...args],
        options,
      );
      return stdout;
    };
    expect(await run()).toBe('2\n');
    expect(await run('close')).toBe('2\nclosed\n');
  });

  it('gives up on workers that do not start', async () => {
    open({ entry: new URL('missing.mjs', jobs) });
    await expect(pool.run(jobs, 1)).rejects.toMatchObject({ code: 'ERR_RINGPOLL_WORKER_UNFIT' });
  });
});
