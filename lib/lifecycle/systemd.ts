// What systemd and a program say to each other: sockets that it has opened, and datagrams.
import { Buffer } from 'node:buffer';
import { integer } from '../checks.js';
import { invalidArgType } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { native } from '../runtime/native.js';
import { systemError } from '../runtime/system_error.js';

/** A socket that listens already. */
export interface InheritedListener {
  /** For the option `fd` of listen() and serve(). */
  fd: number;
  /** As FileDescriptorName= says, or '' without one. */
  name: string;
}

const FIRST_FD = 3;
const FDS_MAX = 1024;
/** In the place of LISTEN_PID, which passListeners() cannot know before there is a process. */
const PARENT = 'RINGPOLL_LISTEN_PARENT';

/** Environment of a process that gets these listeners from this one. */
export function listenEnvironment(names: readonly string[]): Record<string, string> {
  return {
    LISTEN_FDS: String(names.length),
    LISTEN_FDNAMES: names.join(':'),
    [PARENT]: String(process.pid),
  };
}

/**
 * The sockets that systemd, or the process before this one, has opened for it: LISTEN_FDS,
 * LISTEN_FDNAMES and LISTEN_PID say so. None when they are meant for another process. The first
 * call takes them out of the environment, so that children do not take them for theirs.
 */
export function inheritedListeners(): InheritedListener[] {
  known ??= find();
  return known.map((each) => ({ ...each }));
}

let known: InheritedListener[] | undefined;

function find(): InheritedListener[] {
  const { env } = process;
  const { LISTEN_FDS = '', LISTEN_FDNAMES = '', LISTEN_PID } = env;
  const parent = env.RINGPOLL_LISTEN_PARENT;
  for (const name of ['LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PID', PARENT]) delete env[name];
  const isOurs = LISTEN_PID === String(process.pid) || parent === String(process.ppid);
  const count = /^\d+$/.test(LISTEN_FDS) ? Math.min(Number(LISTEN_FDS), FDS_MAX) : 0;
  if (!isOurs) return [];
  const names = LISTEN_FDNAMES.split(':');
  return Array.from({ length: count }, (_, i) => ({ fd: FIRST_FD + i, name: names[i] ?? '' }));
}

/**
 * Tells systemd something: `notify({ READY: 1 })`, `notify({ STATUS: 'warming up' })`.
 * @returns false: NOTIFY_SOCKET is not set, so that nobody listens
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE; the system's error when it cannot be told
 */
export function notify(state: Readonly<Record<string, string | number>>): boolean {
  if (typeof state !== 'object' || state === null) {
    throw invalidArgType('state', 'an object', state);
  }
  const lines = Object.entries(state).map(([name, value]) => {
    const line = `${name}=${value}`;
    if (!/^[A-Z][A-Z0-9_]*=[^\n]*$/.test(line)) {
      throw invalidArgType(`state.${name}`, 'a name in capitals, and a value of one line', value);
    }
    return line;
  });
  const path = process.env.NOTIFY_SOCKET;
  if (path === undefined || path === '') return false;
  const name = path.startsWith('@') ? `\0${path.slice(1)}` : path;
  const result = native().tellUnixSocket(name, lines.join('\n'));
  if (result < 0) throw Object.assign(systemError(-result, 0, { path }), { syscall: 'sendto' });
  return true;
}

export interface WatchdogOptions {
  /** Whether all is well; when it is not, systemd is not told, and restarts the process in the
   * end. Default: always. */
  healthy?(): boolean;
  /** Milliseconds between two messages. Default: half of WATCHDOG_USEC. */
  interval?: number;
}

const OPTIONS = optionNames<WatchdogOptions>('watchdog()', { healthy: true, interval: true });
const US_IN_MS = 1000;
const INTERVAL_MS_MAX = 2 ** 31 - 1;

/**
 * Tells systemd again and again that the event loop turns, as WatchdogSec= wants it. A loop that
 * stands still says nothing.
 * @returns stops that; undefined: WATCHDOG_USEC is not set, or for another process
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
 */
export function watchdog(options: WatchdogOptions = {}): (() => void) | undefined {
  checkOptions(OPTIONS, options);
  const { healthy = () => true } = options;
  if (typeof healthy !== 'function') throw invalidArgType('options.healthy', 'a function', healthy);
  const { WATCHDOG_USEC = '', WATCHDOG_PID } = process.env;
  const forUs = WATCHDOG_PID === undefined || WATCHDOG_PID === String(process.pid);
  const us = /^\d{1,15}$/.test(WATCHDOG_USEC) ? Number(WATCHDOG_USEC) : 0;
  const usualMs = Math.min(Math.max(1, Math.floor(us / US_IN_MS / 2)), INTERVAL_MS_MAX);
  const ms = integer('options.interval', options.interval, 1, INTERVAL_MS_MAX, usualMs);
  if (us === 0 || !forUs) return undefined;
  const tell = () => {
    let isWell = false;
    try {
      isWell = healthy() === true;
      if (isWell) notify({ WATCHDOG: 1 });
    } catch (error) {
      process.emitWarning(error as Error);
    }
  };
  tell();
  const timer = setInterval(tell, ms).unref();
  return () => clearInterval(timer);
}

/** What a message of passListeners() is. */
export const READY = Buffer.from('READY=1\n');
