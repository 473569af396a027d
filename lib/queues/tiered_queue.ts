// A queue that overflows from memory to the disk, and empties into a sink.
//
//   push() --> memory --> sink        as long as there is room, and nothing is on the disk
//          \-> disk ----/             else; what is older is in memory, and goes first
import { asError, invalidArgType, RingpollError } from '../errors.js';
import { closedError } from './attempts.js';
import { DiskLog, sizeOf } from './disk_log.js';
import { checkStop, type QueueStopOptions } from './options.js';
import { type CheckedTiered, checkTiered, type TieredQueueOptions } from './tiered_options.js';

export interface TieredQueueCounts {
  /** Items in memory. */
  memory: number;
  /** Bytes on the disk. */
  diskBytes: number;
  /** Items that the sink has taken. */
  done: number;
  /** Attempts that failed. */
  failures: number;
  /** Items that were given up. */
  dropped: number;
}

interface Waiting {
  readonly record: Uint8Array;
  resolve(tier: 'disk'): void;
  reject(error: unknown): void;
}

interface Batch<T> {
  readonly items: T[];
  /** Undefined: they are in memory. */
  readonly end: number | undefined;
}

const STOP_MS = 5000;
const RECORD_BYTES_MAX = 64 * 2 ** 20;
/** Appended in one go. */
const APPENDED_AT_ONCE = 1000;

/**
 * Keeps items for a sink that is slow or away. They come to it in order, each at least once: those
 * under way when a process dies come again. What is in memory dies with the process, and stop()
 * writes it to the disk; what is on the disk is found by the next process.
 */
export class TieredQueue<T> {
  readonly #checked: CheckedTiered<T>;
  readonly #log: DiskLog;
  readonly #memory: T[] = [];
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #appending = false;
  #wake: () => void = () => {};
  #idle: (() => void)[] = [];
  #control: AbortController | undefined;
  #draining: Promise<void>;
  #busy = false;
  #closed = false;
  #stopped = false;
  /** stop() has failed to write what is in memory. */
  #unwritten = false;
  #done = 0;
  #failures = 0;
  #dropped = 0;

  /**
   * Goes on with what is in the folder.
   * @returns rejects with the system's error when the folder cannot be used
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
   */
  static async open<T>(options: TieredQueueOptions<T>): Promise<TieredQueue<T>> {
    const checked = checkTiered(options);
    const { folder, segmentBytes, syncMs } = checked;
    const failed = (error: Error) => tell(checked, error);
    const log = await DiskLog.open({ folder, segmentBytes, syncMs, failed });
    return new TieredQueue(checked, log);
  }

  private constructor(checked: CheckedTiered<T>, log: DiskLog) {
    this.#checked = checked;
    this.#log = log;
    this.#draining = this.#drain();
  }

  get counts(): TieredQueueCounts {
    return {
      memory: this.#memory.length,
      diskBytes: this.#log.bytes,
      done: this.#done,
      failures: this.#failures,
      dropped: this.#dropped,
    };
  }

  /**
   * Takes an item. With 'disk' it has been written there, and synced if `fsync` says 'always'.
   * @returns where it lies; rejects with the system's error when the disk is full
   * @throws RingpollError ERR_RINGPOLL_QUEUE_FULL, ERR_RINGPOLL_QUEUE_CLOSED; TypeError
   *   ERR_RINGPOLL_INVALID_ARG_TYPE when it cannot be encoded
   */
  async push(item: T): Promise<'memory' | 'disk'> {
    if (this.#closed) throw closedError('items');
    const { memory, maxDiskBytes, encode } = this.#checked;
    const diskIsEmpty = this.#log.bytes === 0 && this.#waiting.length === 0 && !this.#appending;
    if (diskIsEmpty && this.#memory.length < memory) {
      this.#memory.push(item);
      this.#wake();
      return 'memory';
    }
    const record = encode(item);
    if (record.length === 0 || record.length > RECORD_BYTES_MAX) {
      throw invalidArgType('item', `one of 1 to ${RECORD_BYTES_MAX} bytes`, item);
    }
    if (this.#log.bytes + this.#waitingBytes + sizeOf(record) > maxDiskBytes) {
      const message = `The sink has not taken ${maxDiskBytes} bytes on the disk yet`;
      throw new RingpollError('ERR_RINGPOLL_QUEUE_FULL', message);
    }
    this.#waitingBytes += sizeOf(record);
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject });
      if (!this.#appending) void this.#append();
    });
  }

  /** What came while the disk was busy is written, and synced, together. */
  async #append(): Promise<void> {
    this.#appending = true;
    // Pushes of this turn come first.
    await undefined;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, APPENDED_AT_ONCE);
      let failure: { error: unknown } | undefined;
      try {
        await this.#log.append(batch.map(({ record }) => record));
      } catch (error) {
        failure = { error };
      }
      for (const { record, resolve, reject } of batch) {
        this.#waitingBytes -= sizeOf(record);
        if (failure === undefined) resolve('disk');
        else reject(failure.error);
      }
      this.#wake();
    }
    this.#appending = false;
    this.#checkIdle();
  }

  async #drain(): Promise<void> {
    for (;;) {
      const batch = await this.#next();
      if (batch === undefined) return;
      if (batch.items.length > 0 && !(await this.#deliver(batch.items))) return;
      if (batch.end === undefined) this.#memory.splice(0, batch.items.length);
      else await this.#advance(batch.end);
      this.#busy = false;
      this.#checkIdle();
    }
  }

  /** Undefined: the queue has stopped. */
  async #next(): Promise<Batch<T> | undefined> {
    for (let pauseMs = 0; !this.#stopped; ) {
      const { batch } = this.#checked;
      this.#busy = true;
      if (this.#memory.length > 0) {
        return { items: this.#memory.slice(0, batch), end: undefined };
      }
      try {
        const records = await this.#log.peek(batch);
        if (records !== undefined) return { items: this.#decoded(records.list), end: records.end };
        if (this.#memory.length > 0 || this.#log.bytes > 0) continue;
        pauseMs = 0;
      } catch (error) {
        tell(this.#checked, asError(error));
        pauseMs = this.#checked.retries.at(-1) as number;
      }
      this.#busy = false;
      this.#checkIdle();
      await this.#wait(pauseMs);
    }
    return undefined;
  }

  #decoded(records: readonly Uint8Array[]): T[] {
    const items: T[] = [];
    for (const record of records) {
      try {
        items.push(this.#checked.decode(record));
      } catch (error) {
        this.#dropped++;
        tell(this.#checked, asError(error));
      }
    }
    return items;
  }

  async #advance(end: number): Promise<void> {
    try {
      await this.#log.advance(end);
    } catch (error) {
      // It counts as read here; a process after this one may read it again.
      tell(this.#checked, asError(error));
    }
  }

  /** Resolves when something has come, or `ms` (over 0) have passed. */
  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms > 0 ? setTimeout(resolve, ms) : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve();
      };
      if (this.#stopped) this.#wake();
    });
  }

  /** False: the queue was stopped before the sink had them. */
  async #deliver(items: T[]): Promise<boolean> {
    const { retries, drop } = this.#checked;
    for (let attempt = 1; !this.#stopped; attempt++) {
      try {
        await this.#attempt(items, attempt);
        this.#done += items.length;
        return true;
      } catch (thrown) {
        if (this.#stopped) return false;
        const error = asError(thrown);
        this.#failures++;
        this.#checked.error?.(error);
        if (drop(items, error, attempt)) {
          this.#dropped += items.length;
          return true;
        }
      }
      await this.#pause(retries[Math.min(attempt, retries.length) - 1]);
    }
    return false;
  }

  /** Only the end of the queue is earlier. */
  async #pause(ms: number): Promise<void> {
    const control = new AbortController();
    this.#control = control;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      control.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #attempt(items: T[], attempt: number): Promise<void> {
    const { sink, timeoutMs } = this.#checked;
    const control = new AbortController();
    this.#control = control;
    return new Promise((resolve, reject) => {
      const message = `The sink has not ended within ${timeoutMs} ms`;
      const late = () => control.abort(new RingpollError('ERR_RINGPOLL_DEADLINE', message));
      const timer = setTimeout(late, timeoutMs);
      const over = (end: () => void) => {
        clearTimeout(timer);
        end();
      };
      const { signal } = control;
      signal.addEventListener('abort', () => over(() => reject(signal.reason)));
      new Promise((taken) => taken(sink([...items], { attempt, signal }))).then(
        () => over(resolve),
        (error) => over(() => reject(error)),
      );
    });
  }

  get #isIdle(): boolean {
    if (this.#busy || this.#appending || this.#waiting.length > 0) return false;
    return this.#memory.length === 0 && this.#log.bytes === 0;
  }

  #checkIdle(): void {
    if (this.#isIdle) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Resolves when the sink has all that there is. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#checkIdle();
    });
  }

  /**
   * Takes no more items. The sink gets what there is until the timeout (default: 5,000 ms); the
   * rest is written to the disk, for the next process.
   * @returns rejects with the system's error when it cannot be written: it stays in memory then,
   *   and another call tries again
   * @throws TypeError, RangeError ERR_RINGPOLL_OUT_OF_RANGE, _UNKNOWN_OPTION
   */
  async stop(options: QueueStopOptions = {}): Promise<void> {
    const timeoutMs = checkStop(options) ?? STOP_MS;
    if (this.#closed) {
      if (this.#unwritten) await this.#keep();
      return;
    }
    this.#closed = true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.drained().then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.#stopped = true;
    this.#control?.abort(closedError('items'));
    this.#wake();
    await this.#draining;
    while (this.#appending) await new Promise((resolve) => setImmediate(resolve));
    await this.#keep();
  }

  /** Writes what is in memory to the disk. */
  async #keep(): Promise<void> {
    this.#unwritten = false;
    try {
      if (this.#memory.length > 0) {
        await this.#log.prepend(this.#memory.map(this.#checked.encode));
        this.#memory.length = 0;
      }
      await this.#log.close();
    } catch (error) {
      this.#unwritten = true;
      throw error;
    }
  }
}

/** What the disk, or an item on it, is wrong with. */
function tell<T>({ error: told }: CheckedTiered<T>, error: Error): void {
  if (told === undefined) process.emitWarning(error);
  else told(error);
}
