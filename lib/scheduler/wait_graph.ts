// Finds deadlocks among tasks that wait for each other. Pure: ids in, ids out.

/**
 * Who can end the wait of a task: one of `ids` is enough, or `all` of them have to end.
 * Null when that cannot be known: then the task is never part of a deadlock.
 */
export type Wakers = { ids: readonly number[]; all: boolean } | null;

export interface Deadlock {
  /** One cycle through the deadlock, each waiting for the next. */
  cycle: number[];
  /** Everybody whose wait cannot end, the cycle among them. */
  stuck: number[];
}

/**
 * `waits` holds every task that waits, and by whom it can be woken. Tasks that are not in it are
 * taken to go on, unless `lives` says that they have ended.
 */
export function findDeadlocks(
  waits: ReadonlyMap<number, Wakers>,
  lives: (id: number) => boolean,
): Deadlock[] {
  const edges = stuckEdges(waits, lives);
  const deadlocks: Deadlock[] = [];
  const seen = new Set<number>();
  for (const start of edges.keys()) {
    if (seen.has(start)) continue;
    const cycle = cycleFrom(start, edges, seen);
    if (cycle.length > 0) deadlocks.push({ cycle, stuck: [...edges.keys()] });
  }
  for (const deadlock of deadlocks) {
    deadlock.stuck = deadlock.stuck.filter((id) => reaches(id, deadlock.cycle[0], edges));
  }
  return deadlocks;
}

/** Strikes out, until nothing changes, every task that somebody who goes on can still wake. */
function stuckEdges(
  waits: ReadonlyMap<number, Wakers>,
  lives: (id: number) => boolean,
): Map<number, number[]> {
  const edges = new Map<number, number[]>();
  for (const [id, wakers] of waits) {
    const alive = wakers?.ids.filter((waker) => waker !== id && lives(waker)) ?? [];
    // Nobody known is left: someone new may come, so this is a stall and no proof of more.
    if (alive.length > 0) edges.set(id, alive);
    else if (wakers?.ids.includes(id) === true && wakers.ids.every((waker) => waker === id)) {
      edges.set(id, [id]);
    }
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (const [id, wakers] of edges) {
      const free = (waker: number) => !edges.has(waker);
      const goesOn = waits.get(id)?.all === true ? wakers.every(free) : wakers.some(free);
      if (!goesOn) continue;
      edges.delete(id);
      changed = true;
    }
  }
  return edges;
}

/** Follows stuck wakers from `start` until one comes twice; empty if that one is known already. */
function cycleFrom(start: number, edges: ReadonlyMap<number, number[]>, seen: Set<number>) {
  const path: number[] = [];
  for (let at: number | undefined = start; at !== undefined; ) {
    const first = path.indexOf(at);
    if (first >= 0) return path.slice(first);
    if (seen.has(at)) return [];
    seen.add(at);
    path.push(at);
    at = edges.get(at)?.find((waker) => edges.has(waker));
  }
  return [];
}

function reaches(from: number, to: number, edges: ReadonlyMap<number, number[]>): boolean {
  const open = [from];
  const seen = new Set(open);
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at === to) return true;
    for (const next of edges.get(at) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
}
