// Takes the stack of a thread that is stuck in JavaScript, from another thread.
//
//   worker: looks at the words every `check` ms ── OVERRUNS has changed ──▶ Debugger.pause
//   main thread: V8 stops at its next call or loop ──▶ Debugger.paused with the frames
//   worker: still the same slice? posts the stack; then Debugger.disable lets the thread go on
//
// The inspector's session lives only that long: with one open, Node waits for it when it exits.
import type { MessagePort, Worker } from 'node:worker_threads';
import { workerThreads } from '../builtins.js';
import { WATCH_OVERRUNS, WATCH_SLICE } from '../scheduler/watch.js';

const PENDING_MAX = 64;

interface Captured {
  ofTask: boolean;
  slice: number;
  stack: string;
}

interface CaptureData {
  sets: Int32Array[];
  checkMs: number;
  port: MessagePort;
  overrunsWord: number;
  sliceWord: number;
}

// What of the inspector and of worker_threads the worker uses.
interface Frame {
  functionName: string;
  location: { scriptId: string; lineNumber: number; columnNumber?: number };
}
interface Notification {
  params: { callFrames: Frame[]; scriptId: string; url: string };
}
interface Inspector {
  Session: new () => {
    connectToMainThread(): void;
    on(event: string, listener: (message: Notification) => void): void;
    post(method: string): void;
    disconnect(): void;
  };
}
interface Threads {
  workerData: CaptureData;
  parentPort: MessagePort;
}

/** The worker's program. It travels as its source text, so it sees nothing but its argument. */
function captureProgram(require: (name: string) => unknown): void {
  const { Session } = require('node:inspector') as Inspector;
  const { workerData, parentPort } = require('node:worker_threads') as Threads;
  const { sets, checkMs, port, overrunsWord, sliceWord } = workerData;
  const seen = sets.map((words) => Atomics.load(words, overrunsWord));
  const sliceOf = (set: number) => Atomics.load(sets[set], sliceWord);
  let letGo: (() => void) | undefined;
  let isOver = () => true;

  const capture = (set: number, slice: number) => {
    const session = new Session();
    // The names of all scripts come before anything else.
    const urls = new Map<string, string>();
    const lineOf = ({ functionName, location }: Frame) => {
      const { scriptId, lineNumber, columnNumber = 0 } = location;
      const place = `${urls.get(scriptId) ?? ''}:${lineNumber + 1}:${columnNumber + 1}`;
      return functionName === '' ? `    at ${place}` : `    at ${functionName} (${place})`;
    };
    isOver = () => sliceOf(set) !== slice;
    letGo = () => {
      letGo = undefined;
      session.post('Debugger.disable');
      session.disconnect();
    };
    session.connectToMainThread();
    session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
    session.on('Debugger.paused', ({ params }) => {
      // It may have got out by itself meanwhile: then this is the stack of somebody innocent.
      if (!isOver()) {
        const stack = params.callFrames.map(lineOf).join('\n');
        port.postMessage({ ofTask: set === 1, slice, stack });
      }
      letGo?.();
    });
    session.post('Debugger.enable');
    session.post('Debugger.pause');
  };

  setInterval(() => {
    if (isOver()) letGo?.();
    for (const [set, words] of sets.entries()) {
      const overruns = Atomics.load(words, overrunsWord);
      if (overruns === seen[set]) continue;
      seen[set] = overruns;
      const slice = sliceOf(set);
      if (slice !== 0 && letGo === undefined) capture(set, slice);
    }
  }, checkMs);
  parentPort.postMessage('ready');
}

export class StackCapture {
  /** Resolves when the worker has begun to look, or has failed. */
  readonly ready: Promise<void>;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  #captured: Captured[] = [];

  constructor(sets: Int32Array[], checkMs: number) {
    const { MessageChannel, Worker } = workerThreads();
    const { port1, port2 } = new MessageChannel();
    const workerData: CaptureData = {
      sets,
      checkMs,
      port: port2,
      overrunsWord: WATCH_OVERRUNS,
      sliceWord: WATCH_SLICE,
    };
    this.#worker = new Worker(`(${captureProgram})(require)`, {
      name: 'ringpoll watchdog',
      eval: true,
      env: {},
      execArgv: [],
      workerData,
      transferList: [port2],
    });
    this.#port = port1;
    this.ready = new Promise((resolve) => {
      // Only from then on: whoever awaits `ready` may have nothing else that keeps the process.
      this.#worker.once('message', () => {
        this.#worker.unref();
        resolve();
      });
      this.#worker.once('error', (error: Error) => {
        process.emitWarning(`No stacks of overruns: ${error.message}`, 'RingpollWatchdogWarning');
        resolve();
      });
    });
  }

  /** The stack that was taken in that slice: it was posted before the thread went on. */
  take(ofTask: boolean, slice: number): string | undefined {
    for (;;) {
      const received = workerThreads().receiveMessageOnPort(this.#port);
      if (received === undefined) break;
      this.#captured.push(received.message as Captured);
    }
    const found = this.#captured.findIndex((one) => one.ofTask === ofTask && one.slice === slice);
    if (found < 0) {
      this.#captured = this.#captured.slice(-PENDING_MAX);
      return undefined;
    }
    const [{ stack }] = this.#captured.splice(0, found + 1).slice(-1);
    return stack;
  }

  stop(): void {
    this.#port.close();
    void this.#worker.terminate();
  }
}
