// The lifecycle that a program need not make: one for each thread.
import type { Handler } from '../http/handler.js';
import type { HealthCheck } from './health.js';
import { Lifecycle, type LifecycleState, type ShutdownReport } from './lifecycle.js';
import type { OnShutdownOptions, ShutdownOptions, ShutdownWithOptions } from './options.js';
import type { Phase, ShutdownFunction } from './phases.js';
import { probesOf } from './probes.js';
import type { Stoppable } from './servers.js';

const ours = new Lifecycle();

/**
 * Calls `run` in a phase of the shutdown, which SIGTERM and SIGINT begin, or shutdown(). See
 * Lifecycle.
 * @returns takes it back
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_..., _OUT_OF_RANGE, _UNKNOWN_OPTION
 */
export function onShutdown(
  phase: Phase,
  run: ShutdownFunction,
  options?: OnShutdownOptions,
): () => void {
  return ours.onShutdown(phase, run, options);
}

/**
 * Stops a server in the phase accept, and waits for it in the phase drain.
 * @returns takes it back
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_..., _OUT_OF_RANGE, _UNKNOWN_OPTION
 */
export function shutdownWith(server: Stoppable, options?: ShutdownWithOptions): () => void {
  return ours.shutdownWith(server, options);
}

/**
 * Ends in order; the process goes on to run. Never rejects: the report says what failed.
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_UNKNOWN_OPTION
 */
export function shutdown(options?: ShutdownOptions): Promise<ShutdownReport> {
  return ours.shutdown(options);
}

/** True until the shutdown begins, while all that readyWhen() was given holds. */
export const isReady = (): boolean => ours.isReady();

/** True until the shutdown is over, while all that liveWhen() was given holds. */
export const isLive = (): boolean => ours.isLive();

/** Not ready while `check` does not give true, or throws. @returns takes it back */
export const readyWhen = (check: HealthCheck): (() => void) => ours.readyWhen(check);

/** Not live while `check` does not give true, or throws. @returns takes it back */
export const liveWhen = (check: HealthCheck): (() => void) => ours.liveWhen(check);

export const lifecycleState = (): LifecycleState => ours.state;

/** Routes for serve(): '/live' and '/ready', each 200 or 503. Default: of this thread. */
export function probes(of: Lifecycle = ours): { '/live': Handler; '/ready': Handler } {
  return probesOf(of);
}
