// One worker of the pool and what the pool knows about it.
//
//   warming ──ready──▶ idle ◀──job──▶ busy
//      │                │              │
//      └────────────────┴──leave()─────┴──▶ draining ──exit──▶ gone
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import type { Job } from './job.js';
import type { WorkerShare } from './measure.js';
import type { Code, FromWorker, ToWorker } from './messages.js';

export type SlotState = 'warming' | 'idle' | 'busy' | 'draining' | 'gone';

export interface SlotEvents {
  ready(slot: Slot, checked: boolean): void;
  /** The worker answered the job that it had. */
  answer(slot: Slot, message: FromWorker): void;
  gone(slot: Slot, error: Error | undefined): void;
}

export class Slot {
  state: SlotState = 'warming';
  job: Job | undefined;
  /** The pool has nothing more for it: it leaves as soon as its job is done. */
  leaving = false;
  completed = 0;
  readonly worker: Worker;
  readonly #known = new Set<number>();
  #killTimer: NodeJS.Timeout | undefined;
  #error: Error | undefined;
  #busySince = 0;
  #busyMs = 0;
  #sampledAt = performance.now();
  #utilization: EventLoopUtilization | undefined;

  constructor(entry: URL, codes: Code[], events: SlotEvents) {
    this.worker = new Worker(entry, { name: 'ringpoll compute', ...ownArgs() });
    for (const { id } of codes) this.#known.add(id);
    this.worker.on('message', (message: FromWorker | null | undefined) => {
      // Jobs share the port, and may use it for themselves: what is not ours is nobody's.
      if (message?.kind === 'ready') events.ready(this, message.checked);
      else if (message?.kind === 'done' || message?.kind === 'failed') {
        events.answer(this, message);
      }
    });
    this.worker.on('error', (error: Error) => {
      this.#error = error;
    });
    this.worker.on('messageerror', (error) => events.answer(this, failure(error)));
    this.worker.on('exit', () => {
      clearTimeout(this.#killTimer);
      this.state = 'gone';
      events.gone(this, this.#error);
    });
    this.#send({ kind: 'warm', codes });
  }

  /** @throws DataCloneError when the data cannot be cloned; the worker stays idle then */
  give(job: Job): void {
    const { code, data, transfer } = job;
    const message: ToWorker = { kind: 'job', codeId: code.id, data };
    if (!this.#known.has(code.id)) message.code = code;
    this.worker.postMessage(message, transfer);
    this.#known.add(code.id);
    this.job = job;
    this.state = 'busy';
    this.#busySince = performance.now();
  }

  /** The job is over. */
  rest(): void {
    this.#busyMs += performance.now() - this.#busySince;
    this.job = undefined;
    this.completed++;
    this.state = 'idle';
  }

  /** Asks the worker to end, and ends it by force when it has not after `killAfterMs`. */
  drain(killAfterMs: number, onKill: () => void): void {
    if (this.state === 'gone' || this.state === 'draining') return;
    this.state = 'draining';
    this.#send({ kind: 'exit' });
    this.#killTimer = setTimeout(() => {
      onKill();
      void this.worker.terminate();
    }, killAfterMs).unref();
  }

  kill(): void {
    this.leaving = true;
    void this.worker.terminate();
  }

  /** What the worker did since the last call. */
  sample(): WorkerShare {
    const now = performance.now();
    const busySince = this.state === 'busy' ? now - this.#busySince : 0;
    const busyMs = this.#busyMs + busySince;
    this.#busyMs = 0;
    if (this.state === 'busy') this.#busySince = now;
    const before = this.#utilization;
    this.#utilization = this.worker.performance.eventLoopUtilization();
    const presentMs = now - this.#sampledAt;
    this.#sampledAt = now;
    const activeMs = this.#utilization.active - (before?.active ?? 0);
    return { busyMs, activeMs: Math.max(activeMs, 0), presentMs };
  }

  #send(message: ToWorker): void {
    this.worker.postMessage(message);
  }
}

/** Workers inherit the flags of the process, but a file cannot have the one for scripts in text. */
function ownArgs(): { execArgv?: string[] } {
  return process.execArgv.some((arg) => arg.startsWith('--input-type')) ? { execArgv: [] } : {};
}

function failure(error: unknown): FromWorker {
  return { kind: 'failed', error };
}
