// Shutdowns on a virtual clock: their order, their deadlines, and what fails in them.
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  Lifecycle,
  type LifecycleOptions,
  type ShutdownFailure,
} from '../../lib/lifecycle/index.js';
import { VirtualClock } from '../support/virtual-clock.js';

const settled = () => new Promise((resolve) => setImmediate(resolve));
const never = () => new Promise<never>(() => {});

function make(options: LifecycleOptions = {}) {
  const clock = new VirtualClock();
  const told: ShutdownFailure[] = [];
  const exits: number[] = [];
  const lifecycle = new Lifecycle({
    ...{ clock, signals: [] },
    error: (failure) => told.push(failure),
    exit: (code) => exits.push(code),
    ...options,
  });
  return { clock, lifecycle, told, exits };
}

describe('a shutdown', () => {
  it('runs the functions of a phase at once, and phases one after the other', async () => {
    const { lifecycle, clock } = make();
    const events: string[] = [];
    const take = (name: string, ms: number) => () => {
      events.push(`${name} begins`);
      return new Promise<void>((resolve) => {
        clock.setTimer(() => {
          events.push(`${name} ends`);
          resolve();
        }, ms);
      });
    };
    lifecycle.onShutdown('release', take('database', 10));
    lifecycle.onShutdown('drain', take('jobs', 50));
    lifecycle.onShutdown('accept', take('slow', 200));
    lifecycle.onShutdown('accept', take('quick', 100));
    const done = lifecycle.shutdown({ reason: 'test' });
    for (let i = 0; i < 40; i++) {
      await settled();
      clock.advance(10);
    }
    expect(events).toEqual([
      ...['slow begins', 'quick begins', 'quick ends', 'slow ends'],
      ...['jobs begins', 'jobs ends', 'database begins', 'database ends'],
    ]);
    const report = await done;
    expect(report).toMatchObject({ reason: 'test', forced: false, failures: [] });
    expect(report.phases.accept).toBeGreaterThanOrEqual(200);
    expect(report.phases.accept).toBeLessThanOrEqual(210);
    expect(report.phases.release).toBeLessThanOrEqual(20);
    expect(clock.timers).toBe(0);
  });

  it('goes on when functions throw, reject or are late, and tells of each', async () => {
    const { lifecycle, clock, told } = make({ timeouts: { drain: 300 } });
    let reason: unknown;
    lifecycle.onShutdown('accept', function throwing() {
      throw new Error('a');
    });
    lifecycle.onShutdown('accept', () => Promise.reject('b'), { name: 'rejecting' });
    lifecycle.onShutdown('drain', function late(signal) {
      signal.addEventListener('abort', () => {
        reason = signal.reason;
      });
      return never();
    });
    let released = '';
    lifecycle.onShutdown('release', (_, why) => {
      released = why;
    });
    const done = lifecycle.shutdown();
    await settled();
    clock.advance(299);
    await settled();
    expect(released).toBe('');
    clock.advance(1);
    const { failures } = await done;
    expect(released).toBe('shutdown');
    expect(failures.map(({ phase, name, error }) => [phase, name, error.message])).toEqual([
      ['accept', 'throwing', 'a'],
      ['accept', 'rejecting', 'b'],
      ['drain', 'late', expect.stringContaining('within 300 ms')],
    ]);
    expect(reason).toMatchObject({ code: 'ERR_RINGPOLL_DEADLINE' });
    expect(told).toEqual(failures);
    expect(clock.timers).toBe(0);
  });

  it('takes no longer than the deadlines of its phases, however many functions hang', async () => {
    const { lifecycle, clock } = make();
    for (const phase of ['accept', 'drain', 'release'] as const) {
      for (let i = 0; i < 100; i++) lifecycle.onShutdown(phase, never);
    }
    const done = lifecycle.shutdown();
    for (const ms of [5000, 10_000, 5000]) {
      await settled();
      clock.advance(ms);
    }
    expect((await done).failures).toHaveLength(300);
    expect(clock.now()).toBe(20_000);
  });

  it('is one, whoever calls it, also from a function of its own', async () => {
    const { lifecycle } = make();
    let calls = 0;
    let inner: unknown;
    lifecycle.onShutdown('accept', () => {
      calls++;
      inner = lifecycle.shutdown({ reason: 'second' });
    });
    const done = lifecycle.shutdown({ reason: 'first' });
    expect((await done).reason).toBe('first');
    expect(inner).toBe(done);
    expect(lifecycle.shutdown()).toBe(done);
    expect(calls).toBe(1);
  });

  it('runs what is added while it runs, and what comes too late at once', async () => {
    const { lifecycle, told } = make();
    const ran: string[] = [];
    lifecycle.onShutdown('drain', () => {
      lifecycle.onShutdown('accept', () => void ran.push('past'));
      lifecycle.onShutdown('drain', () => void ran.push('present'));
      lifecycle.onShutdown('release', () => void ran.push('future'));
    });
    await lifecycle.shutdown();
    expect(ran).toEqual(['past', 'present', 'future']);
    lifecycle.onShutdown('accept', () => {
      ran.push('over');
      throw new Error('late');
    });
    await settled();
    expect(ran.at(-1)).toBe('over');
    expect(told).toHaveLength(1);
  });

  it('does not run what was taken back', async () => {
    const { lifecycle } = make();
    let ran = 0;
    const take = lifecycle.onShutdown('drain', () => void ran++);
    const server = { stop: async () => void ran++ };
    const leave = lifecycle.shutdownWith(server);
    take();
    leave();
    await lifecycle.shutdown();
    expect(ran).toBe(0);
  });

  it('that is forced calls all that is left, aborted, and waits for nothing', async () => {
    const { lifecycle, clock } = make();
    const signals: [string, boolean][] = [];
    let running: AbortSignal | undefined;
    lifecycle.onShutdown('accept', (signal) => {
      running = signal;
      return never();
    });
    for (const phase of ['drain', 'release'] as const) {
      lifecycle.onShutdown(phase, (signal) => {
        signals.push([phase, signal.aborted]);
        return never();
      });
    }
    const done = lifecycle.shutdown();
    await settled();
    expect(running?.aborted).toBe(false);
    lifecycle.shutdown({ force: true });
    expect(running?.aborted).toBe(true);
    expect(await done).toMatchObject({ forced: true, failures: [] });
    expect(signals).toEqual([
      ['drain', true],
      ['release', true],
    ]);
    expect(clock.timers).toBe(0);
  });
});

describe('a server of a shutdown', () => {
  const makeServer = () => {
    const calls: string[] = [];
    let end: (error?: Error) => void = () => {};
    const server = {
      stop({ timeout }: { timeout: number }) {
        calls.push(`stop ${timeout}`);
        return new Promise<void>((resolve, reject) => {
          end = (error) => (error === undefined ? resolve() : reject(error));
        });
      },
      destroy() {
        calls.push('destroy');
        end();
      },
    };
    return { server, calls, end: (error?: Error) => end(error) };
  };

  it('stops after its delay, and is waited for before the release', async () => {
    const { lifecycle, clock } = make();
    const { server, calls, end } = makeServer();
    let released = false;
    lifecycle.shutdownWith(server, { delay: 6000, timeout: 700 });
    lifecycle.onShutdown('release', () => {
      released = true;
    });
    const done = lifecycle.shutdown();
    await settled();
    clock.advance(5999);
    await settled();
    expect(calls).toEqual([]);
    clock.advance(1);
    await settled();
    expect(calls).toEqual(['stop 700']);
    expect(released).toBe(false);
    end();
    expect((await done).failures).toEqual([]);
    expect(calls).toEqual(['stop 700']);
    expect(released).toBe(true);
  });

  it('that does not end is destroyed when its time has passed, and told of', async () => {
    const { lifecycle, clock } = make();
    const { server, calls } = makeServer();
    lifecycle.shutdownWith(server, { timeout: 700, name: 'web' });
    const done = lifecycle.shutdown();
    await settled();
    clock.advance(1699);
    await settled();
    expect(calls).toEqual(['stop 700']);
    clock.advance(1);
    const { failures } = await done;
    expect(failures).toMatchObject([{ phase: 'drain', name: 'web' }]);
    expect(calls).toEqual(['stop 700', 'destroy']);
  });

  it('that fails to stop is told of once', async () => {
    const { lifecycle } = make();
    const { server, end } = makeServer();
    lifecycle.shutdownWith(server);
    const done = lifecycle.shutdown();
    await settled();
    end(new Error('no'));
    expect((await done).failures).toMatchObject([{ phase: 'drain', error: { message: 'no' } }]);
  });

  it('is destroyed at once when the shutdown is forced, its delay too', async () => {
    const { lifecycle, clock } = make();
    const { server, calls } = makeServer();
    lifecycle.shutdownWith(server, { delay: 5000 });
    const done = lifecycle.shutdown();
    await settled();
    lifecycle.shutdown({ force: true });
    await done;
    expect(calls).toEqual(['stop 10000', 'destroy']);
    expect(clock.timers).toBe(0);
  });
});

describe('readiness and liveness', () => {
  it('follow the shutdown', async () => {
    const { lifecycle } = make();
    const seen: unknown[] = [];
    const look = () => seen.push([lifecycle.state, lifecycle.isReady(), lifecycle.isLive()]);
    lifecycle.onShutdown('drain', look);
    look();
    const done = lifecycle.shutdown();
    look();
    await done;
    look();
    expect(seen).toEqual([
      ['running', true, true],
      ['stopping', false, true],
      ['stopping', false, true],
      ['over', false, false],
    ]);
  });

  it('ask every check, and take one that throws for one that does not hold', () => {
    const { lifecycle } = make();
    let healthy = false;
    lifecycle.readyWhen(() => healthy);
    expect(lifecycle.isReady()).toBe(false);
    healthy = true;
    expect(lifecycle.isReady()).toBe(true);
    const leave = lifecycle.readyWhen(() => {
      throw new Error('no');
    });
    expect(lifecycle.isReady()).toBe(false);
    leave();
    expect(lifecycle.isReady()).toBe(true);
    const mend = lifecycle.liveWhen(() => false);
    expect(lifecycle.isLive()).toBe(false);
    mend();
    expect(lifecycle.isLive()).toBe(true);
  });
});

describe('signals', () => {
  const NAME = 'SIGUSR2';

  it('are listened to while something is registered', async () => {
    const { lifecycle } = make({ signals: [NAME] });
    onTestFinished(() => void process.removeAllListeners(NAME));
    const before = process.listenerCount(NAME);
    const leave = [1, 2].map(() => lifecycle.onShutdown('drain', () => {}));
    expect(process.listenerCount(NAME)).toBe(before + 1);
    for (const each of leave) each();
    expect(process.listenerCount(NAME)).toBe(before);
  });

  it('begin, force after 100 ms, and end the process', async () => {
    const { lifecycle, clock, exits } = make({ signals: [NAME] });
    onTestFinished(() => void process.removeAllListeners(NAME));
    lifecycle.onShutdown('accept', never);
    process.emit(NAME, NAME);
    expect(lifecycle.state).toBe('stopping');
    await settled();
    clock.advance(99);
    process.emit(NAME, NAME);
    await settled();
    expect(exits).toEqual([]);
    clock.advance(1);
    process.emit(NAME, NAME);
    await settled();
    await settled();
    expect(exits).toEqual([140]);
    expect(await lifecycle.shutdown()).toMatchObject({ forced: true, reason: NAME });
  });

  it('end the process with 1 after failures, and do not force what shutdown() began', async () => {
    const { lifecycle, clock, exits } = make({ signals: [NAME] });
    onTestFinished(() => void process.removeAllListeners(NAME));
    lifecycle.onShutdown('accept', never, { timeout: 500 });
    void lifecycle.shutdown();
    await settled();
    clock.advance(400);
    process.emit(NAME, NAME);
    await settled();
    expect(exits).toEqual([]);
    clock.advance(100);
    await settled();
    await settled();
    expect(exits).toEqual([1]);
  });
});

describe('a lifecycle', () => {
  it('refuses what it does not know', () => {
    const { lifecycle } = make();
    const given = (value: unknown) => value as never;
    const code = (call: () => unknown) => {
      try {
        call();
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(code(() => lifecycle.onShutdown(given('end'), () => {}))).toBe(
      'ERR_RINGPOLL_INVALID_ARG_VALUE',
    );
    expect(code(() => lifecycle.onShutdown('drain', given(1)))).toBe(
      'ERR_RINGPOLL_INVALID_ARG_TYPE',
    );
    expect(code(() => lifecycle.onShutdown('drain', () => {}, { timeout: -1 }))).toBe(
      'ERR_RINGPOLL_OUT_OF_RANGE',
    );
    expect(code(() => lifecycle.onShutdown('drain', () => {}, given({ deadline: 1 })))).toBe(
      'ERR_RINGPOLL_UNKNOWN_OPTION',
    );
    expect(code(() => lifecycle.shutdownWith(given({})))).toBe('ERR_RINGPOLL_INVALID_ARG_TYPE');
    expect(code(() => lifecycle.shutdown(given({ forced: true })))).toBe(
      'ERR_RINGPOLL_UNKNOWN_OPTION',
    );
    expect(code(() => new Lifecycle({ signals: ['SIGKILL'] }))).toBe(
      'ERR_RINGPOLL_INVALID_ARG_VALUE',
    );
  });
});
