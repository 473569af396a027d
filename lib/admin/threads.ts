// What the threads of a group do, side by side. A thread that is stuck does not answer: then its
// last answer is shown, and nobody waits for it.
import type { GroupMetrics, LoopGroup } from '../threads/index.js';

/** How long a scrape waits for the threads. */
const ANSWER_MS_MAX = 200;

export type ThreadMetrics = GroupMetrics['threads'][number];

/** Rates are a second. */
export interface ThreadReport {
  thread: number;
  state: ThreadMetrics['state'];
  connections: number;
  requestRate: number;
  turnRate: number;
  readRate: number;
  writtenRate: number;
  /** Moves to another processor, and times that the kernel took the processor away. */
  migrationRate: number;
  preemptionRate: number;
}

export class Threads {
  readonly #group: LoopGroup | undefined;
  #latest: readonly ThreadMetrics[] = [];
  #asking: Promise<void> | undefined;

  constructor(group: LoopGroup | undefined) {
    this.#group = group;
  }

  /** The last answers, by the number of the thread. */
  get latest(): readonly ThreadMetrics[] {
    return this.#latest;
  }

  /** Asks, unless it is asking already. */
  ask(): Promise<void> {
    if (this.#group === undefined) return Promise.resolve();
    this.#asking ??= this.#group.metrics().then(
      ({ threads }) => {
        this.#latest = threads;
        this.#asking = undefined;
      },
      () => {
        this.#asking = undefined;
      },
    );
    return this.#asking;
  }

  /** Asks, and waits no longer than a scrape may. */
  async refresh(): Promise<void> {
    if (this.#group === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ANSWER_MS_MAX);
    });
    await Promise.race([this.ask(), late]);
    clearTimeout(timer);
  }
}

/** What each thread did between two answers; `rate` divides by the time between. */
export function threadReports(
  now: readonly ThreadMetrics[],
  before: readonly ThreadMetrics[],
  rate: (count: number) => number,
): ThreadReport[] {
  return now.map(({ thread, state, generation, loop = {}, migrations, involuntarySwitches }) => {
    const earlier = before.find((each) => each.thread === thread);
    const isSame = earlier?.generation === generation;
    const more = (name: 'migrations' | 'involuntarySwitches', value = 0) =>
      isSame ? rate(Math.max(0, value - (earlier?.[name] ?? value))) : 0;
    // A replaced thread begins to count anew.
    const base = isSame ? (earlier?.loop ?? {}) : loop;
    const since = (name: string) => rate(Math.max(0, (loop[name] ?? 0) - (base[name] ?? 0)));
    return {
      thread,
      state,
      connections: loop.connections ?? 0,
      requestRate: since('httpRequests'),
      turnRate: since('turns'),
      readRate: since('bytesRead'),
      writtenRate: since('bytesWritten'),
      migrationRate: more('migrations', migrations),
      preemptionRate: more('involuntarySwitches', involuntarySwitches),
    };
  });
}
