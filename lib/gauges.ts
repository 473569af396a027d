// What the loop of this thread tells others of itself, once it has started. Neither side has to
// know whether the other one is there.

/** The loop beside the scheduler. */
export interface LoopLevels {
  /** Entries in the ring's submission queue when it was last submitted; 0 without a ring. */
  sq: number;
  /** Entries in its completion queue when it last had any. */
  cq: number;
  /** Connections now. */
  connections: number;
}

let levels: (() => LoopLevels) | undefined;

export function setLoopLevels(source: () => LoopLevels): void {
  levels = source;
}

/** Undefined where no loop runs. */
export function loopLevels(): LoopLevels | undefined {
  return levels?.();
}
