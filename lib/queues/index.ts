// ringpoll/queues: jobs that are tried until they succeed.
export type { DeadLetter, JobContext, RedisJobContext } from './job.js';
export { JobQueue, type JobQueueCounts } from './job_queue.js';
export { type KeyStore, MemoryKeys, type MemoryKeysOptions } from './keys.js';
export type { JobQueueOptions, PushOptions, QueueStopOptions } from './options.js';
export type { RedisCommands, RedisReader } from './redis_client.js';
export { RedisKeys, type RedisKeysOptions } from './redis_keys.js';
export type { RedisJobQueueOptions } from './redis_options.js';
export {
  type RedisDeadLetter,
  RedisJobQueue,
  type RedisPushOptions,
  type RedisQueueCounts,
} from './redis_queue.js';
export type { TieredQueueOptions } from './tiered_options.js';
export { TieredQueue, type TieredQueueCounts } from './tiered_queue.js';
