import { Watchdog } from 'ringpoll';
import { HybridScheduler } from 'ringpoll/scheduler';
import { describe, expect, it, onTestFinished } from 'vitest';
import { codeOf } from '../support/recorder.js';
import { pair } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

function burn(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
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
