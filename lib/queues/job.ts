// A job of a queue, and what is told of it.

/** What `run` gets beside the payload. */
export interface JobContext {
  /** 1 for the first. */
  readonly attempt: number;
  readonly key: string | undefined;
  /** Aborts when the attempt has taken too long, or the queue is destroyed. */
  readonly signal: AbortSignal;
}

/** What `run` of a queue in Redis gets. */
export interface RedisJobContext extends JobContext {
  /** Its place in the stream: the same for all attempts. */
  readonly id: string;
  /**
   * Ends the job before `run` is over: nobody does it again, whatever happens. Without it that is
   * done when `run` has succeeded. Resolves when Redis has it.
   */
  ack(): Promise<void>;
}

/** A job that has failed for the last time. */
export interface DeadLetter<T> {
  readonly payload: T;
  readonly key: string | undefined;
  readonly attempts: number;
  /** That of the last attempt. */
  readonly error: Error;
}

export interface Job<T> {
  readonly payload: T;
  readonly key: string | undefined;
  attempts: number;
  /** Of the wait before an attempt, or of the attempt. */
  timer: unknown;
  control: AbortController | undefined;
}
