// Numbers for `metrics()`, put together when somebody asks.
import { deprecated } from '../deprecation.js';
import type { Drive } from './drive.js';
import { CLASS_NAMES, type Task } from './task.js';
import type { ClassMetrics, SchedulerMetrics, TaskClass } from './types.js';

export interface ClassCounts {
  started: number;
  completed: number;
  failed: number;
  cancelled: number;
}

export function countStates(tasks: Iterable<Task>): SchedulerMetrics['states'] {
  const states = { new: 0, ready: 0, running: 0, suspended: 0, waiting: 0 };
  for (const { stateName } of tasks) if (stateName !== 'done') states[stateName]++;
  return states;
}

export function classMetrics(
  drive: Drive,
  counts: readonly ClassCounts[],
): Record<TaskClass, ClassMetrics> {
  const entries = CLASS_NAMES.map((name, index) => {
    const queue = drive.ready.classes[index];
    const metrics: ClassMetrics = {
      ready: queue.count,
      weight: queue.weight,
      ...counts[index],
      turns: drive.turns[index],
      ranMs: drive.ranMs[index],
      delayMs: drive.delays[index].summary(),
    };
    return [name, metrics] as const;
  });
  return Object.fromEntries(entries) as Record<TaskClass, ClassMetrics>;
}

/** Not enumerable: whoever prints all metrics has asked for none of them. */
export function withOldNames(metrics: SchedulerMetrics): SchedulerMetrics {
  return Object.defineProperty(metrics, 'longestLegMs', {
    get() {
      deprecated('RINGPOLL_DEP_LONGEST_LEG', 'metrics().longestLegMs is now longestStepMs');
      return metrics.longestStepMs;
    },
  });
}
