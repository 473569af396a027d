// Several loops, each on a thread of its own.

export type { ThreadUsage } from '../thread_usage.js';
export { type GroupMetrics, type GroupStopOptions, LoopGroup, type ThreadReport } from './group.js';
export type { Balance, LoopGroupOptions, ThreadEnd, ThreadLimits } from './options.js';
export { pinThread } from './placement.js';
export type { SeatState } from './seat.js';
export type { Counts } from './sockets.js';
export type { GroupThread } from './thread.js';
