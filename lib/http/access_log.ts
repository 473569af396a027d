// One line for each answered request. Lines gather in memory and leave together, one write at a
// time, while the loop goes on. What finds no room is dropped and counted: a disk that is slow
// never slows a server down.
import { fs } from '../builtins.js';
import { integer } from '../checks.js';
import { invalidArgType, invalidArgValue } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { contentOf, LINES, type LogEntry, type LogFormat } from './access_log_lines.js';
import type { Body } from './response_outlet.js';
import type { ResponseState } from './response_state.js';

export interface AccessLogOptions {
  /** Default: 'combined'. */
  format?: LogFormat;
  /**
   * A descriptor, or a function that gets lines, each with its end, and may return a promise: the
   * next ones come when that is settled. Default: 1, standard output.
   */
  to?: number | ((lines: string) => unknown);
  /** Characters that may wait; further lines are dropped. 1 KB to 1 GB. Default: 1 MB. */
  maxWaiting?: number;
  /** Milliseconds that a line waits for others, 1 to 60,000. Default: 100. */
  interval?: number;
}

export interface AccessLogMetrics {
  lines: number;
  /** Lines that found no room, or could not be written. */
  dropped: number;
}

const OPTIONS = optionNames<AccessLogOptions>('options.accessLog', {
  format: true,
  to: true,
  maxWaiting: true,
  interval: true,
});
const WAITING_MAX = 1024 * 1024;
const INTERVAL_MS = 100;
const RETRY_MS = 10;
/** As long stop() waits for lines to be written, in milliseconds. */
const STOP_MS_MAX = 2000;

/** undefined: none was asked for. @throws TypeError, RangeError */
export function checkAccessLog(given: unknown): AccessLog | undefined {
  if (given === undefined || given === false) return undefined;
  const options = given === true ? {} : given;
  checkOptions(OPTIONS, options, 'options.accessLog');
  const { format = 'combined', to = 1, maxWaiting, interval } = options as AccessLogOptions;
  const formats = Object.keys(LINES);
  if (!formats.includes(format)) {
    throw invalidArgValue('options.accessLog.format', `one of ${formats.join(', ')}`, format);
  }
  if (typeof to !== 'function' && typeof to !== 'number') {
    throw invalidArgType('options.accessLog.to', 'a descriptor or a function', to);
  }
  const write =
    typeof to === 'function'
      ? to
      : writerOf(integer('options.accessLog.to', to, 0, 2 ** 31 - 1, 1));
  return new AccessLog(
    LINES[format],
    write,
    integer('options.accessLog.maxWaiting', maxWaiting, 1024, 2 ** 30, WAITING_MAX),
    integer('options.accessLog.interval', interval, 1, 60_000, INTERVAL_MS),
  );
}

function writerOf(fd: number): (lines: string) => Promise<void> {
  return async (lines) => {
    let bytes = Buffer.from(lines, 'utf8');
    while (bytes.length > 0) {
      const taken = await new Promise<number>((resolve, reject) => {
        fs().write(fd, bytes, (error, count) => {
          // A pipe whose reader is behind, where somebody has made it non-blocking.
          if (error?.code === 'EAGAIN') setTimeout(resolve, RETRY_MS, 0);
          else if (error === null) resolve(count);
          else reject(error);
        });
      });
      bytes = bytes.subarray(taken);
    }
  };
}

export class AccessLog {
  readonly #line: (entry: LogEntry) => string;
  readonly #write: (lines: string) => unknown;
  readonly #waitingMax: number;
  readonly #interval: number;
  #waiting = '';
  #waitingLines = 0;
  #writing = false;
  #timer: NodeJS.Timeout | undefined;
  #lines = 0;
  #dropped = 0;

  constructor(
    line: (entry: LogEntry) => string,
    write: (lines: string) => unknown,
    waitingMax: number,
    interval: number,
  ) {
    this.#line = line;
    this.#write = write;
    this.#waitingMax = waitingMax;
    this.#interval = interval;
  }

  add(response: ResponseState, status: number, body: Body | undefined, ms: number): void {
    const line = `${this.#line(contentOf(response, status, body, ms))}\n`;
    if (this.#waiting.length + line.length > this.#waitingMax) {
      this.#dropped++;
      return;
    }
    this.#waiting += line;
    this.#waitingLines++;
    if (this.#writing || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.#flush(), this.#interval);
  }

  metrics(): AccessLogMetrics {
    return { lines: this.#lines, dropped: this.#dropped };
  }

  /** Resolves when all that has come is written, or lost; after 2 seconds in any case. */
  async flushed(): Promise<void> {
    const end = performance.now() + STOP_MS_MAX;
    while ((this.#waitingLines > 0 || this.#writing) && performance.now() < end) {
      if (this.#writing) await new Promise((resolve) => setTimeout(resolve, 1));
      else await this.#flush();
    }
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#waiting;
    const count = this.#waitingLines;
    this.#waiting = '';
    this.#waitingLines = 0;
    this.#writing = true;
    try {
      await this.#write(lines);
      this.#lines += count;
    } catch {
      this.#dropped += count;
    }
    this.#writing = false;
    if (this.#waitingLines === 0) return;
    this.#timer = setTimeout(() => void this.#flush(), this.#interval);
  }
}
