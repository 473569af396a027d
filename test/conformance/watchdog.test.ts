import { setImmediate as immediate } from 'node:timers/promises';
import { Watchdog, type WatchdogOverrun } from 'ringpoll';
import { HybridScheduler } from 'ringpoll/scheduler';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runProgram } from '../support/program.js';
import { codeOf } from '../support/recorder.js';
import { pair } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

// What the watchdog does depends on when the machine gives its threads a CPU. So nothing here runs
// for a time that was thought to be enough: it runs until it was seen, or until this limit.
const SEEN_MS_MAX = 5000;
// A stack is taken by one more thread, and nobody can tell when: each attempt lasts longer.
const ATTEMPTS_MS = [300, 600, 1200, 2400];

function burn(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Keeps this thread until the watchdog has seen it. */
function burnUntilSeen(watchdog: Watchdog): void {
  const before = watchdog.report().overruns;
  const end = performance.now() + SEEN_MS_MAX;
  while (watchdog.report().overruns === before && performance.now() < end);
}

/** Named, so that a stack can be recognised. */
function theCulprit(ms: number): void {
  burn(ms);
}

/** What a watchdog tells, one after the other. */
function overruns() {
  const told: WatchdogOverrun[] = [];
  let wake = () => {};
  const overrun = (seen: WatchdogOverrun) => {
    told.push(seen);
    wake();
  };
  const next = async () => {
    while (told.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return told.shift()!;
  };
  return { overrun, next, told };
}

function watch(options: ConstructorParameters<typeof Watchdog>[0]): Watchdog {
  const watchdog = new Watchdog(options);
  onTestFinished(() => watchdog.stop());
  return watchdog;
}

describe('the watchdog', () => {
  it('sees a handler that runs for longer than the limit, and for how long', async () => {
    const watchdog = watch({ limit: 20, check: 5 });
    const { peer, server } = await pair({ data: () => burnUntilSeen(watchdog) });
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
    const { peer, server } = await pair({ data: () => burnUntilSeen(watchdog) });
    watch({}).stop();
    const before = watchdog.report().overruns;
    peer.send('x');
    await server.received(1);
    expect(watchdog.report().overruns).toBeGreaterThan(before);
  });

  it('does not take waiting for running', async () => {
    const watchdog = watch({ limit: 100, check: 5 });
    await pair();
    const idleMs = 1000;
    await new Promise((resolve) => setTimeout(resolve, idleMs));
    // On a busy machine a turn may take longer than the limit; the wait itself is ten times that.
    expect(watchdog.report().longestMs).toBeLessThan(idleMs * 0.75);
  });

  it('names the task that ran, and asks it to yield', async () => {
    const scheduler = new HybridScheduler({ slice: 20, check: 5 });
    const watchdog = watch({ limit: 20, check: 5, scheduler });
    await pair();
    const end = performance.now() + SEEN_MS_MAX;
    for (;;) {
      // In a turn of its own. If that is held up before the task begins, nobody is to be named.
      await immediate();
      let asked = false;
      const task = scheduler.spawn((context) => {
        while (!asked && performance.now() < end) asked = context.shouldYield();
        burn(20);
      });
      await task.promise;
      await roundTrips(1);
      expect(asked).toBe(true);
      const named = watchdog.report().last?.task;
      if (named === task.id || performance.now() > end) {
        expect(named).toBe(task.id);
        return;
      }
    }
  });

  it('tells of an overrun once the culprit has returned, with its duration', async () => {
    const { next, overrun, told } = overruns();
    const watchdog = watch({ limit: 20, check: 5, overrun });
    let during = 0;
    const { peer } = await pair({
      data() {
        told.length = 0;
        burnUntilSeen(watchdog);
        during = told.length;
      },
    });
    peer.send('x');
    const { ms, task, stack } = await next();
    expect(during).toBe(0);
    expect(ms).toBeGreaterThanOrEqual(20);
    expect(task).toBeUndefined();
    expect(stack).toBeUndefined();
  });

  it('hands over the stack of the culprit', async () => {
    const { next, overrun } = overruns();
    const watchdog = watch({ limit: 20, check: 5, stack: true, overrun });
    await watchdog.ready;
    let attempt = 0;
    const { peer } = await pair({ data: () => theCulprit(ATTEMPTS_MS[attempt]!) });
    let stack: string | undefined;
    for (; attempt < ATTEMPTS_MS.length && !stack?.includes('theCulprit'); attempt += 1) {
      peer.send('x');
      ({ stack } = await next());
    }
    expect(stack).toContain('theCulprit');
    // It may have been stopped in functions of Node's that `burn` calls.
    expect(stack).toMatch(/^( {4}at .*node:.*\n)* {4}at burn \(.*watchdog\.test\.ts:\d+:\d+\)\n/);
  });

  it('names task and stack where only tasks keep the thread busy', async () => {
    const scheduler = new HybridScheduler({ slice: 20, check: 5 });
    const { next, overrun } = overruns();
    const watchdog = watch({ limit: 20, check: 5, scheduler, stack: true, overrun });
    await watchdog.ready;
    for (const ms of ATTEMPTS_MS) {
      const task = scheduler.spawn(() => theCulprit(ms));
      await task.promise;
      let seen = await next();
      // What came before the task may have been slow too.
      while (seen.task === undefined) seen = await next();
      expect(seen.task).toBe(task.id);
      if (seen.stack?.includes('theCulprit')) return;
    }
    expect.fail('no stack of the culprit');
  });

  it('tells of an overrun in native code, which cannot be stopped', async () => {
    const { next, overrun } = overruns();
    const watchdog = watch({ limit: 20, check: 5, stack: true, overrun });
    await watchdog.ready;
    const cell = new Int32Array(new SharedArrayBuffer(4));
    const { peer } = await pair({
      data() {
        const before = watchdog.report().overruns;
        const end = performance.now() + SEEN_MS_MAX;
        while (watchdog.report().overruns === before && performance.now() < end) {
          Atomics.wait(cell, 0, 0, 200);
        }
      },
    });
    peer.send('x');
    const { ms, stack } = await next();
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
    const report = watchdog.report();
    burn(100);
    watchdog.stop();
    expect(watchdog.report()).toEqual(report);
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
