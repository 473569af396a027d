// Several loops, each on a thread of its own.
export { type GroupMetrics, type GroupStopOptions, LoopGroup, type ThreadReport } from './group.js';
export type { Balance, LoopGroupOptions, ThreadEnd, ThreadLimits } from './options.js';
export { pinThread, type ThreadUsage } from './placement.js';
export type { SeatState } from './seat.js';
export type { Counts } from './sockets.js';
export type { GroupThread } from './thread.js';
