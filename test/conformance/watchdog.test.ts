import { Watchdog, type WatchdogOverrun } from 'ringpoll';
import { HybridScheduler } from 'ringpoll/scheduler';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runProgram } from '../support/program.js';
import { codeOf } from '../support/recorder.js';
import { pair } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

function burn(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Named, so that a stack can be recognised. */
function theCulprit(): void {
  burn(300);
}

function firstOverrun() {
  let overrun!: (seen: WatchdogOverrun) => void;
  const promise = new Promise<WatchdogOverrun>((resolve) => {
    overrun = resolve;
  });
  return { promise, overrun };
}

function watch(options: ConstructorParameters<typeof Watchdog>[0]): Watchdog {
  const watchdog = new Watchdog(options);
  onTestFinished(() => watchdog.stop());
  return watchdog;
}

describe('the watchdog', () => {
  it('sees a handler that runs for longer than the limit, and for how long', async () => {
    const watchdog = watch({ limit: 20, check: 5 });
    const { peer, server } = await pair({ data: () => burn(200) });
    const before = watchdog.report().overruns;
    peer.send('x');
    await server.received(1);
    await roundTrips(1);
    const { overruns, longestMs, last } = watchdog.report();
    expect(overruns).toBeGreaterThan(before);
    expect(longestMs).toBeGreaterThanOrEqual(20);
    expect(last?.task).toBeUndefined();
  });

  it('is not disturbed by another one that comes and goes', async () => {
    const watchdog = watch({ limit: 20, check: 5 });
    const { peer, server } = await pair({ data: () => burn(200) });
    watch({}).stop();
    peer.send('x');
    await server.received(1);
    await roundTrips(1);
    expect(watchdog.report().overruns).toBeGreaterThan(0);
  });

  it('says nothing while the loop waits', async () => {
    const watchdog = watch({ limit: 500, check: 5 });
    await pair();
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(watchdog.report()).toEqual({ overruns: 0, longestMs: 0, last: undefined });
  });

  it('names the task that ran, and asks it to yield', async () => {
    const scheduler = new HybridScheduler({ slice: 20, check: 5 });
    const watchdog = watch({ limit: 20, check: 5, scheduler });
    await pair();
    let asked = false;
    const task = scheduler.spawn((context) => {
      const end = performance.now() + 2000;
      while (!asked && performance.now() < end) asked = context.shouldYield();
      burn(60);
    });
    await task;
    await roundTrips(1);
    expect(asked).toBe(true);
    expect(watchdog.report().last?.task).toBe(task.id);
  });

  it('tells of an overrun once the culprit has returned, with its duration', async () => {
    const { promise, overrun } = firstOverrun();
    watch({ limit: 20, check: 5, overrun });
    const { peer } = await pair({ data: () => burn(200) });
    peer.send('x');
    const { ms, task, stack } = await promise;
    expect(ms).toBeGreaterThanOrEqual(20);
    expect(task).toBeUndefined();
    expect(stack).toBeUndefined();
  });

  it('hands over the stack of the culprit', async () => {
    const { promise, overrun } = firstOverrun();
    const watchdog = watch({ limit: 20, check: 5, stack: true, overrun });
    await watchdog.ready;
    const { peer } = await pair({ data: () => theCulprit() });
    peer.send('x');
    const { stack } = await promise;
    // It may have been stopped in a function of Node's that `burn` calls.
    expect(stack).toMatch(/^( {4}at .*\n)? {4}at burn \(.*watchdog\.test\.ts:\d+:\d+\)\n/);
    expect(stack).toContain('theCulprit');
  });

  it('names task and stack where only tasks keep the thread busy', async () => {
    const scheduler = new HybridScheduler({ slice: 20, check: 5 });
    const { promise, overrun } = firstOverrun();
    const watchdog = watch({ limit: 20, check: 5, scheduler, stack: true, overrun });
    await watchdog.ready;
    const task = scheduler.spawn(() => theCulprit());
    await task.promise;
    const seen = await promise;
    expect(seen.task).toBe(task.id);
    expect(seen.stack).toContain('theCulprit');
  });

  it('tells of an overrun in native code, which cannot be stopped', async () => {
    const { promise, overrun } = firstOverrun();
    const watchdog = watch({ limit: 20, check: 5, stack: true, overrun });
    await watchdog.ready;
    const cell = new Int32Array(new SharedArrayBuffer(4));
    const { peer } = await pair({ data: () => void Atomics.wait(cell, 0, 0, 200) });
    peer.send('x');
    const { ms, stack } = await promise;
    expect(ms).toBeGreaterThanOrEqual(20);
    // What was asked for may take effect behind the wait: there, or never.
    if (stack !== undefined) expect(stack).toMatch(/^ {4}at .*:\d+:\d+/);
  });

  it('leaves what the listener throws to the process', async () => {
    const { code, stdout, stderr } = await runProgram('watchdog_throws');
    expect(stdout).toBe('caught: from the listener\n');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('takes stacks of the main thread only', async () => {
    const { code, stdout, stderr } = await runProgram('watchdog_worker');
    expect(stdout).toBe('ERR_RINGPOLL_ENGINE_UNAVAILABLE\n');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('wants a listener for stacks', () => {
    expect(() => new Watchdog({ stack: true })).toThrow(TypeError);
    expect(() => new Watchdog({ overrun: 'x' as never })).toThrow(TypeError);
  });

  it('can be stopped twice, and its report stays', async () => {
    const watchdog = watch({});
    watchdog.stop();
    watchdog.stop();
    expect(watchdog.report().overruns).toBe(0);
  });

  it('takes only sensible times', () => {
    for (const options of [{ limit: 0 }, { check: -1 }, { limit: 60_001 }, { limit: Number.NaN }]) {
      let code: string | undefined;
      try {
        new Watchdog(options);
      } catch (error) {
        code = codeOf(error);
      }
      expect(code).toBe('ERR_RINGPOLL_OUT_OF_RANGE');
    }
  });
});
