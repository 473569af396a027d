// ringpoll/lifecycle: a program that ends in order, and probes that know of it.
export type { HealthCheck } from './health.js';
export { Lifecycle, type LifecycleState, type ShutdownReport } from './lifecycle.js';
export {
  isLive,
  isReady,
  lifecycleState,
  liveWhen,
  onShutdown,
  probes,
  readyWhen,
  shutdown,
  shutdownWith,
} from './of_this_thread.js';
export type {
  LifecycleOptions,
  OnShutdownOptions,
  ShutdownOptions,
  ShutdownWithOptions,
} from './options.js';
export type { Phase, ShutdownFailure, ShutdownFunction } from './phases.js';
export type { Stoppable } from './servers.js';
export { type Passable, type PassOptions, passListeners, successorReady } from './succession.js';
export {
  type InheritedListener,
  inheritedListeners,
  notify,
  type WatchdogOptions,
  watchdog,
} from './systemd.js';
