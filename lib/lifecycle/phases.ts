// The phases of a shutdown, and one function of a phase, run within its time.
import { asError, RingpollError } from '../errors.js';
import type { Clock } from '../scheduler/clock.js';

/** In this order: take nothing new, finish what is under way, let go of what it needed. */
export const PHASES = ['accept', 'drain', 'release'] as const;
export type Phase = (typeof PHASES)[number];

/**
 * Called in its phase. `signal` is aborted when its time has passed, or when the shutdown is
 * forced: nobody waits for it any more then. `reason` is the name of a signal, or the one that
 * shutdown() was given.
 */
export type ShutdownFunction = (signal: AbortSignal, reason: string) => unknown;

/** A function that threw, rejected, or did not end in time (ERR_RINGPOLL_DEADLINE). */
export interface ShutdownFailure {
  phase: Phase;
  name: string;
  error: Error;
}

export interface Step {
  readonly phase: Phase;
  readonly name: string;
  readonly run: ShutdownFunction;
  readonly timeoutMs: number;
}

/** Whether nobody waits any more. An AbortSignal warns of its eleventh listener. */
export class Force {
  readonly #waiting = new Set<() => void>();
  reason: Error | undefined;

  begin(reason: Error): void {
    this.reason = reason;
    for (const tell of [...this.#waiting]) tell();
    this.#waiting.clear();
  }

  wait(tell: () => void): void {
    this.#waiting.add(tell);
  }

  leave(tell: () => void): void {
    this.#waiting.delete(tell);
  }
}

function lateError({ name, phase, timeoutMs }: Step): RingpollError {
  const where = `in the phase ${phase} of a shutdown`;
  const message = `${name} has not ended within ${timeoutMs} ms, ${where}`;
  return new RingpollError('ERR_RINGPOLL_DEADLINE', message);
}

/**
 * Runs a step until it has ended, its time has passed, or the shutdown is forced. Never
 * rejects.
 * @returns what went wrong; that it was forced counts as nothing wrong
 */
export function runStep(
  step: Step,
  reason: string,
  clock: Clock,
  force: Force,
): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const control = new AbortController();
    let timer: unknown;
    const finish = (error?: Error) => {
      clock.clearTimer(timer);
      force.leave(onForce);
      resolve(error);
    };
    const onForce = () => {
      finish();
      control.abort(force.reason);
    };
    const onLate = () => {
      const error = lateError(step);
      finish(error);
      control.abort(error);
    };
    if (force.reason !== undefined) control.abort(force.reason);
    else {
      // The process waits for this timer: a function may wait for what keeps nothing alive.
      timer = clock.setTimer(onLate, step.timeoutMs, true);
      force.wait(onForce);
    }
    try {
      const ended = step.run(control.signal, reason);
      Promise.resolve(ended).then(
        () => finish(),
        (thrown) => finish(asError(thrown)),
      );
      if (force.reason !== undefined) finish();
    } catch (thrown) {
      finish(asError(thrown));
    }
  });
}
