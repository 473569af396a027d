// What the loop of this thread tells the scheduler, once it has started; neither part has to know
// whether the other one is there.
import type { LoopLevels } from './types.js';

let source: (() => LoopLevels) | undefined;

export function setLoopLevels(levels: () => LoopLevels): void {
  source = levels;
}

/** Undefined where no loop runs. */
export function loopLevels(): LoopLevels | undefined {
  return source?.();
}
