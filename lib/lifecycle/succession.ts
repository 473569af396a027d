// The next process takes over the listeners of this one: no connection is refused meanwhile.
//
//   this process --starts, with its listeners as 3, 4, ...--> next one
//                <-------------- successorReady() -----------
//   stops accepting, finishes what it has, ends               serves
import type { ChildProcess } from 'node:child_process';
import { childProcess, fs } from '../builtins.js';
import { INT32_MAX, integer } from '../checks.js';
import { invalidArgType, RingpollError } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { listenEnvironment, notify, READY } from './systemd.js';

/** What listen() and serve() give. */
export interface Passable {
  /** undefined: it has stopped accepting. */
  readonly fd: number | undefined;
}

export interface PassOptions {
  /** A program and its arguments. Default: those of this process. */
  command?: readonly string[];
  /** Default: that of this process. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds for the next process to be ready; then it is ended. Default: 30,000. */
  timeout?: number;
}

const OPTIONS = optionNames<PassOptions>('passListeners()', {
  ...{ command: true, env: true, timeout: true },
});
const READY_FD = 'RINGPOLL_READY_FD';
const TIMEOUT_MS = 30_000;
/** Milliseconds from SIGTERM to SIGKILL. */
const END_MS = 5000;
const FIRST_FD = 3;
const NAME = /^[^:\n]{0,255}$/;

/**
 * Starts the next process with the listeners of this one, and waits until it calls
 * successorReady(). Both accept when it serves: stop the servers of this one. When the next one
 * does not get ready, it gets SIGTERM (SIGKILL after 5 s), and this one goes on alone. systemd is
 * told of the new main process (NotifyAccess=all).
 * @param listeners by the names that inheritedListeners() gives the next process
 * @returns the number of the next process
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION
 * @throws RingpollError ERR_RINGPOLL_SUCCESSOR when the next process does not get ready
 */
export async function passListeners(
  listeners: Readonly<Record<string, Passable>>,
  options: PassOptions = {},
): Promise<number> {
  checkOptions(OPTIONS, options);
  const { command = ownCommand(), env = process.env } = options;
  const timeoutMs = integer('options.timeout', options.timeout, 1, INT32_MAX, TIMEOUT_MS);
  if (!Array.isArray(command) || command.length === 0) {
    throw invalidArgType('options.command', 'an array that is not empty', command);
  }
  const names = Object.keys(listeners);
  const fds = names.map((name) => {
    const fd = listeners[name]?.fd;
    if (typeof fd !== 'number' || !NAME.test(name)) {
      throw invalidArgType(`listeners.${name}`, 'a listener that accepts, by a name without :', fd);
    }
    return fd;
  });
  const readyFd = FIRST_FD + fds.length;
  const [file, ...args] = command as string[];
  const child = childProcess().spawn(file, args, {
    env: { ...env, ...listenEnvironment(names), [READY_FD]: String(readyFd) },
    stdio: ['inherit', 'inherit', 'inherit', ...fds, 'pipe'],
    detached: true,
  });
  const pipe = child.stdio[readyFd] as NodeJS.ReadableStream;
  const outcome = await new Promise<string | undefined>((resolve) => {
    let said = '';
    const timer = setTimeout(() => resolve(`is not ready after ${timeoutMs} ms`), timeoutMs);
    const over = (what?: string) => {
      clearTimeout(timer);
      resolve(what);
    };
    child.once('error', (error) => over(`cannot be started: ${error.message}`));
    child.once('exit', (code, signal) => over(`ended with ${signal ?? `code ${code}`}`));
    pipe.on('data', (bytes: Buffer) => {
      said += String(bytes);
      if (said.includes(String(READY))) over();
    });
    pipe.on('error', () => {});
  });
  (pipe as unknown as { destroy(): void }).destroy();
  if (outcome !== undefined) {
    await ended(child);
    throw new RingpollError('ERR_RINGPOLL_SUCCESSOR', `The next process ${outcome}`);
  }
  child.unref();
  const pid = child.pid as number;
  notify({ MAINPID: pid });
  return pid;
}

/** Asks it to end: what it has accepted already is answered where it shuts down in order. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
  await exit;
  clearTimeout(late);
}

function ownCommand(): string[] {
  return [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
}

/**
 * Tells the process before this one, and systemd, that this one serves.
 * @returns whether anybody was told
 */
export function successorReady(): boolean {
  const told = notify({ READY: 1 });
  const { [READY_FD]: text = '' } = process.env;
  delete process.env[READY_FD];
  if (!/^\d+$/.test(text)) return told;
  const fd = Number(text);
  fs().writeSync(fd, READY);
  fs().closeSync(fd);
  return true;
}
