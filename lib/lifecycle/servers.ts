// A server in a shutdown: it stops accepting in one phase, and is waited for in the next.
import type { Clock } from '../scheduler/clock.js';
import { sumOfMs } from './options.js';
import type { Phase, ShutdownFunction, Step } from './phases.js';

/** What serve(), listen() and `new LoopGroup()` give, and all that ends in the same way. */
export interface Stoppable {
  /** Takes nothing new, and resolves when what was under way is over, or reset at the timeout. */
  stop(options: { timeout: number }): Promise<unknown>;
  /** Drops what is left, at once. */
  destroy?(): void;
}

// stop() resets what is left at its own timeout; only what does not even do that is late.
const MARGIN_MS = 1000;

/** Resolves after `ms`, or when the signal is aborted. */
function pause(ms: number, signal: AbortSignal, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clock.clearTimer(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.setTimer(end, ms, true);
    signal.addEventListener('abort', end);
  });
}

interface Settings {
  name: string;
  delayMs: number;
  timeoutMs: number;
  /** Of the phase accept. */
  acceptMs: number;
  clock: Clock;
}

export function stepsOf(server: Stoppable, settings: Settings): Step[] {
  const { name, delayMs, timeoutMs, acceptMs, clock } = settings;
  let stopped: Promise<unknown> | undefined;
  const stop = () => {
    if (stopped === undefined) {
      stopped = Promise.resolve(server.stop({ timeout: timeoutMs }));
      // It is told in the phase drain, which may come later.
      stopped.catch(() => {});
    }
    return stopped;
  };
  const accept: ShutdownFunction = async (signal) => {
    if (delayMs > 0 && !signal.aborted) await pause(delayMs, signal, clock);
    stop();
  };
  const drain: ShutdownFunction = (signal) => {
    const destroy = () => server.destroy?.();
    const ended = stop();
    if (signal.aborted) destroy();
    signal.addEventListener('abort', destroy);
    return ended.finally(() => signal.removeEventListener('abort', destroy));
  };
  const step = (phase: Phase, run: ShutdownFunction, ms: number): Step => {
    return { phase, name, run, timeoutMs: ms };
  };
  return [
    step('accept', accept, sumOfMs(delayMs, acceptMs)),
    step('drain', drain, sumOfMs(timeoutMs, MARGIN_MS)),
  ];
}
