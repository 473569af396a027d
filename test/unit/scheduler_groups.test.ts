// Task groups: children do not outlive their scope.
import { setImmediate as loopTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HybridScheduler, type TaskContext, TaskGroup } from '../../lib/scheduler/index.js';

let scheduler: HybridScheduler;

beforeEach(() => {
  scheduler = new HybridScheduler();
});

afterEach(() => scheduler.close());

/** Waits for ever, and notes when it was made to stop. */
function sleeper(log: string[], name: string) {
  return async (context: TaskContext) => {
    try {
      await context.wait(new Promise(() => {}));
    } finally {
      log.push(`${name} ended`);
    }
  };
}

describe('a task group', () => {
  it('cancels its children when its scope is left, and waits for their end', async () => {
    const log: string[] = [];
    const result = await scheduler.group(async (group) => {
      void group.run(sleeper(log, 'a'));
      void group.run(sleeper(log, 'b'));
      await loopTurn();
      return 'left';
    });
    log.push('after');
    expect(result).toBe('left');
    expect(log).toEqual(['a ended', 'b ended', 'after']);
    expect(scheduler.tasks()).toEqual([]);
  });

  it('does so as well when the scope throws', async () => {
    const log: string[] = [];
    const left = scheduler.group(async (group) => {
      void group.run(sleeper(log, 'a'));
      await loopTurn();
      throw new Error('by the scope');
    });
    await expect(left).rejects.toThrow('by the scope');
    expect(log).toEqual(['a ended']);
  });

  it('waits for all children in join()', async () => {
    const results: number[] = [];
    await scheduler.group(async (group) => {
      for (const value of [1, 2, 3]) {
        void group.run(async (context) => {
          await context.yield();
          results.push(value);
        });
      }
      await group.join();
    });
    expect(results).toEqual([1, 2, 3]);
  });

  it('cancels the other children when one fails, and rejects with its error', async () => {
    const log: string[] = [];
    const failing = scheduler.group(async (group) => {
      void group.run(sleeper(log, 'a'));
      void group.run(async (context) => {
        await context.yield();
        throw new Error('by a child');
      });
      await group.join();
      log.push('not reached');
    });
    await expect(failing).rejects.toThrow('by a child');
    expect(log).toEqual(['a ended']);
  });

  it('fails by a deadline of a child, and not by one that is cancelled by hand', async () => {
    const late = scheduler.group(async (group) => {
      void group.run((context) => context.wait(new Promise(() => {})), { timeout: 1 });
      await group.join();
    });
    await expect(late).rejects.toMatchObject({ code: 'ERR_RINGPOLL_DEADLINE' });
    await scheduler.group(async (group) => {
      group.spawn((context) => context.wait(new Promise(() => {}))).cancel();
      await group.join();
    });
  });

  it('is cancelled by its signal, and starts nothing afterwards', async () => {
    const controller = new AbortController();
    const log: string[] = [];
    let started = false;
    await scheduler.group(
      async (group) => {
        const child = group.spawn(sleeper(log, 'a'));
        await loopTurn();
        controller.abort('stop');
        await expect(child.promise).rejects.toBe('stop');
        const late = group.run(() => {
          started = true;
        });
        await expect(late).rejects.toBe('stop');
      },
      { signal: controller.signal },
    );
    expect(log).toEqual(['a ended']);
    expect(started).toBe(false);
  });

  it('ends with await using, nested groups from the inside out', async () => {
    const log: string[] = [];
    {
      await using outer = new TaskGroup(scheduler);
      void outer.run(async (context) => {
        await using inner = new TaskGroup(scheduler, { signal: context.signal });
        void inner.run(sleeper(log, 'inner'));
        await sleeper(log, 'outer')(context);
      });
      await loopTurn();
    }
    expect(log.sort()).toEqual(['inner ended', 'outer ended']);
    expect(scheduler.tasks()).toEqual([]);
  });

  it('can be joined from a task', async () => {
    const seen = await scheduler.run((context) =>
      scheduler.group(async (group) => {
        const child = group.run(async (own) => {
          await own.yield();
          return 5;
        });
        await group.join(context);
        return child;
      }),
    );
    expect(seen).toBe(5);
  });
});
