// ringpoll/queues: jobs that are tried until they succeed.
export type { DeadLetter, JobContext } from './job.js';
export { JobQueue, type JobQueueCounts } from './job_queue.js';
export { type KeyStore, MemoryKeys, type MemoryKeysOptions } from './keys.js';
export type { JobQueueOptions, PushOptions, QueueStopOptions } from './options.js';
