// One thread of a group: its worker, from its start to its end.
//
//   starting ──ready──▶ serving ──stop()──▶ stopping ──exit──▶ gone
//       └────────────────────┴────────exit────────────────────▶ gone
import { Worker } from 'node:worker_threads';
import { RingpollError } from '../errors.js';
import {
  type Answers,
  type FromThread,
  type Place,
  type Question,
  type ThreadStart,
  type ToThread,
  tell,
  told,
} from './messages.js';
import type { ThreadLimits } from './options.js';

export type SeatState = 'starting' | 'serving' | 'stopping' | 'gone';

export interface SeatEnd {
  error: Error | undefined;
  exitCode: number;
  ran: number;
}

export interface SeatHost {
  /** Opens the sockets of a listener. @throws the system's error */
  open(index: number, place: Place): number;
  /** It has ended, told or not. */
  ended(seat: Seat, end: SeatEnd): void;
}

/** A thread that has stopped its servers ends by itself, or after this many milliseconds. */
const END_MS = 5000;

export class Seat {
  state: SeatState = 'starting';
  threadId = 0;
  readonly startedAt = Date.now();
  /** Resolves when it listens; rejects when it ends before. */
  readonly ready: Promise<void>;
  readonly exited: Promise<void>;
  readonly start: ThreadStart;
  readonly #worker: Worker;
  readonly #host: SeatHost;
  readonly #questions = new Map<number, (value: unknown) => void>();
  #lastQuestion = 0;
  #error: Error | undefined;
  #settle!: { resolve(): void; reject(error: Error): void };
  #endTimer: NodeJS.Timeout | undefined;

  constructor(
    entry: URL,
    start: ThreadStart,
    startMs: number,
    resourceLimits: ThreadLimits | undefined,
    host: SeatHost,
  ) {
    this.start = start;
    this.#host = host;
    this.#worker = new Worker(entry, {
      name: `ringpoll ${start.thread}`,
      workerData: start,
      resourceLimits,
      ...ownArgs(),
    });
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.ready.catch(() => {}); // whoever waits hears of it; a replacement has nobody who does
    const late = setTimeout(() => {
      this.#error ??= new RingpollError(
        'ERR_RINGPOLL_WORKER_UNFIT',
        `Thread ${start.thread} did not listen within ${startMs} ms`,
      );
      void this.#worker.terminate();
    }, startMs);
    this.ready.then(
      () => clearTimeout(late),
      () => clearTimeout(late),
    );
    this.#worker.on('message', (message: FromThread) => this.#heard(message));
    this.#worker.on('error', (error: Error) => {
      this.#error ??= error;
    });
    this.exited = new Promise((resolve) => {
      this.#worker.once('exit', (exitCode) => {
        this.#gone(exitCode);
        resolve();
      });
    });
  }

  /** Its answer; undefined: it has ended, or does not serve. */
  ask<What extends Question>(what: What): Promise<Answers[What] | undefined> {
    if (this.state !== 'serving' && this.state !== 'stopping') return Promise.resolve(undefined);
    const id = ++this.#lastQuestion;
    return new Promise((resolve) => {
      this.#questions.set(id, resolve as (value: unknown) => void);
      this.send({ kind: 'ask', id, what });
    });
  }

  /** Its servers stop in order; resolves when the thread has ended. */
  stop(timeout: number | undefined): Promise<void> {
    if (this.state === 'starting') this.terminate();
    if (this.state === 'serving') {
      this.state = 'stopping';
      this.send({ kind: 'stop', timeout });
    }
    // Who stops again may have less time.
    if (timeout !== undefined && this.state === 'stopping') this.#endWithin(timeout + END_MS);
    return this.exited;
  }

  terminate(): void {
    if (this.state !== 'gone') this.state = 'stopping';
    void this.#worker.terminate();
  }

  send(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #endWithin(milliseconds: number): void {
    clearTimeout(this.#endTimer);
    this.#endTimer = setTimeout(() => void this.#worker.terminate(), milliseconds);
  }

  #heard(message: FromThread | null | undefined): void {
    // The module may use the port for itself: what is not ours is nobody's.
    switch (message?.kind) {
      case 'listen':
        this.#listen(message.index, message.place);
        break;
      case 'ready':
        this.threadId = message.threadId;
        if (this.state === 'starting') this.state = 'serving';
        this.#settle.resolve();
        break;
      case 'failed':
        this.#error ??= told(message.told);
        break;
      case 'answer':
        this.#questions.get(message.id)?.(message.value);
        this.#questions.delete(message.id);
        break;
      case 'stopped':
        this.#endWithin(END_MS);
        break;
    }
  }

  #listen(index: number, place: Place): void {
    try {
      this.send({ kind: 'listening', index, listener: this.#host.open(index, place) });
    } catch (error) {
      this.send({ kind: 'refused', index, told: tell(error as Error) });
    }
  }

  #gone(exitCode: number): void {
    clearTimeout(this.#endTimer);
    const message = `Thread ${this.start.thread} ended with code ${exitCode} before it listened`;
    this.#settle.reject(this.#error ?? new RingpollError('ERR_RINGPOLL_WORKER_EXITED', message));
    for (const answer of this.#questions.values()) answer(undefined);
    this.#questions.clear();
    const end = { error: this.#error, exitCode, ran: Date.now() - this.startedAt };
    this.#host.ended(this, end);
    this.state = 'gone';
  }
}

/** Node refuses this argument of its own in a worker that is a file. */
function ownArgs(): { execArgv?: string[] } {
  return process.execArgv.some((arg) => arg.startsWith('--input-type')) ? { execArgv: [] } : {};
}
