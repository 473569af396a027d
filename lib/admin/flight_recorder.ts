// The last turns of this thread in a file, which outlasts the process.
import { fs, util, workerThreads } from '../builtins.js';
import { integer } from '../checks.js';
import { invalidArgType, RingpollError } from '../errors.js';
import { Loop } from '../loop/loop.js';
import { checkOptions, optionNames } from '../option_names.js';
import { runtime } from '../runtime/runtime.js';
import { turnMeter } from '../runtime/turn_meter.js';
import { VERSION } from '../runtime/version.js';
import { FLIGHT_TURNS_MAX, flightBytes, flightHead, isFlight } from './flight_file.js';

const TURNS = 65_536;
const ZEROS = 1024 * 1024;
const MODE = 0o600;
const PREVIOUS = '.previous';

export interface FlightRecorderOptions {
  /**
   * The file. A recording that is there already is renamed: '.previous' is added. Any other file is
   * left alone, with EEXIST.
   */
  path: string;
  /** How many turns are kept, 1 to 1,048,576: 64 bytes each. Default: 65,536. */
  turns?: number;
}

const OPTIONS = optionNames<FlightRecorderOptions>('flightRecorder()', {
  path: true,
  turns: true,
});

let isRunning = false;

/** What flightRecorder() has made. */
export class FlightRecorder {
  readonly path: string;
  readonly turns: number;
  #runs = true;

  /** @internal */
  constructor(path: string, turns: number) {
    this.path = path;
    this.turns = turns;
    putAside(path);
    const file = fs().openSync(path, 'wx+', MODE);
    try {
      fill(file, turns);
      turnMeter().join();
      const errno = runtime().native.recordFlight(file, turns);
      if (errno !== 0) {
        turnMeter().leave();
        const code = util().getSystemErrorName(-errno);
        const error = new Error(`${code}: mmap '${path}'`);
        throw Object.assign(error, { code, errno: -errno, syscall: 'mmap', path });
      }
    } catch (error) {
      fs().unlinkSync(path);
      throw error;
    } finally {
      fs().closeSync(file);
    }
    isRunning = true;
  }

  /** Nothing is written any more. The file stays. */
  stop(): void {
    if (!this.#runs) return;
    this.#runs = false;
    isRunning = false;
    runtime().native.recordFlight(undefined, 0);
    turnMeter().leave();
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}

/** The recording of a process before is what somebody will want to read. */
function putAside(path: string): void {
  const about = fs().lstatSync(path, { throwIfNoEntry: false });
  if (!about?.isFile()) return;
  const file = fs().openSync(path, 'r');
  const head = Buffer.alloc(8);
  try {
    fs().readSync(file, head, 0, head.length, 0);
  } finally {
    fs().closeSync(file);
  }
  if (isFlight(head)) fs().renameSync(path, path + PREVIOUS);
}

/** All of it is written, so that the disk has room for it: a write to a mapping cannot fail. */
function fill(file: number, turns: number): void {
  const loop = Loop.current();
  const { native } = runtime();
  const system = `${process.platform} ${process.arch}`;
  const head = flightHead({
    rows: turns,
    pid: process.pid,
    thread: workerThreads().threadId,
    unixMs: performance.timeOrigin + performance.now(),
    clockNs: native.clockNs(),
    text: `ringpoll ${VERSION}, node ${process.version}, engine ${loop.engine}, ${system}`,
  });
  const zeros = Buffer.alloc(ZEROS);
  const bytes = flightBytes(turns);
  const put = (from: Buffer, at: number) => {
    for (let done = 0; done < from.length; ) {
      done += fs().writeSync(file, from, done, from.length - done, at + done);
    }
  };
  for (let at = 0; at < bytes; at += ZEROS) put(zeros.subarray(0, Math.min(ZEROS, bytes - at)), at);
  put(head, 0);
}

/**
 * Keeps the last turns of this thread's loop in a file, until stop(). Native code writes it through
 * a mapping, with no call from JavaScript and no system call. The file is there after a crash, and
 * `npx ringpoll dump FILE` reads it, also while it is written. One at a time for each thread.
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
 * @throws RingpollError ERR_RINGPOLL_RECORDER_RUNNING when there is one in this thread
 * @throws the system's error (EEXIST, EACCES, ENOSPC, ...), in Node's shape
 */
export function flightRecorder(options: FlightRecorderOptions): FlightRecorder {
  checkOptions(OPTIONS, options);
  const { path } = options;
  if (typeof path !== 'string' || path === '') {
    throw invalidArgType('options.path', 'the path of a file', path);
  }
  const turns = integer('options.turns', options.turns, 1, FLIGHT_TURNS_MAX, TURNS);
  if (isRunning) {
    const message = 'There is a flight recorder in this thread: stop() it first';
    throw new RingpollError('ERR_RINGPOLL_RECORDER_RUNNING', message);
  }
  return new FlightRecorder(path, turns);
}
