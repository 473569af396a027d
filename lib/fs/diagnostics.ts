// What operations on files tell node:diagnostics_channel. While nobody has subscribed no object is
// made.
import { channel } from 'node:diagnostics_channel';

export const operationStart = channel('ringpoll:fs:operation:start');
export const operationEnd = channel('ringpoll:fs:operation:end');
export const operationError = channel('ringpoll:fs:operation:error');

/** The message of all three channels: for each operation one object. */
export class FileOperationEvent {
  /** As the function is called: 'readFile'. */
  readonly operation: string;
  /** As it was given; undefined: it was no text and no URL. */
  readonly path: string | undefined;
  /** From `error` on. */
  error: unknown = undefined;
  /** From `start` to `end` or `error`, in milliseconds. */
  ms = 0;
  readonly #from = performance.now();

  /** @internal */
  constructor(operation: string, path: unknown) {
    this.operation = operation;
    this.path = typeof path === 'string' || path instanceof URL ? String(path) : undefined;
  }

  /** @internal */
  _end(): void {
    this.ms = performance.now() - this.#from;
    operationEnd.publish(this);
  }

  /** @internal */
  _fail(error: unknown): void {
    this.ms = performance.now() - this.#from;
    this.error = error;
    operationError.publish(this);
  }
}

const isObserved = () =>
  operationStart.hasSubscribers || operationEnd.hasSubscribers || operationError.hasSubscribers;

/** Runs an operation on `path`, and tells of it where somebody has subscribed. */
export function told<T>(operation: string, path: unknown, run: () => Promise<T>): Promise<T> {
  if (!isObserved()) return run();
  const event = new FileOperationEvent(operation, path);
  operationStart.publish(event);
  // What it throws is an error of the operation, too.
  const promise = new Promise<T>((resolve) => resolve(run()));
  promise.then(
    () => event._end(),
    (error) => event._fail(error),
  );
  return promise;
}
