// The scheduler of ringpoll: tasks, structured concurrency, channels, dispatch, and a compute pool.

export type { LoopLevels } from '../gauges.js';
export { Channel, type ChannelOptions } from './channel.js';
export type { Clock } from './clock.js';
export type { JobOptions } from './compute/job.js';
export {
  type Decision,
  type DynamicPOptions,
  type DynamicPState,
  dynamicP,
  type PoolLimits,
  type PoolPolicy,
  type PoolPolicyOptions,
  type PoolPolicyState,
  type PoolSample,
  poolPolicy,
  type ScaleEvent,
} from './compute/policy.js';
export { type ComputeOptions, ComputePool } from './compute/pool.js';
export type { TaskEvent } from './diagnostics.js';
export {
  Dispatcher,
  type Handler,
  type HandlerOptions,
  type Lane,
  type LaneOptions,
} from './dispatcher.js';
export { type Decode, DispatchRequest, type Frame } from './request.js';
export { HybridScheduler, type HybridSchedulerOptions, type SchedulerEvents } from './scheduler.js';
export {
  receiveFrom,
  type SelectArm,
  type SelectOptions,
  type SelectResult,
  select,
  sendTo,
} from './select.js';
export { type Permit, Semaphore } from './semaphore.js';
export { type Spawner, TaskGroup } from './task_group.js';
export type {
  ClassMetrics,
  ComputeMetrics,
  DeadlockReport,
  DebugOptions,
  FairnessOptions,
  SchedulerMetrics,
  SchedulerOptions,
  StallReport,
  TaskClass,
  TaskContext,
  TaskFunction,
  TaskHandle,
  TaskInfo,
  TaskOptions,
  TaskResult,
  TaskState,
} from './types.js';
export { WaitGroup } from './wait_group.js';
