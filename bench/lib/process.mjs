// Child processes: started here, read line by line, and ended here and only here. Whatever way the
// runner ends, what it started ends with it.
import { spawn, spawnSync } from 'node:child_process';

const STDERR_BYTES_MAX = 4000;
const TERM_MS = 3000; // from SIGTERM to SIGKILL

const alive = new Set();
let ending = false;

/** Whether a command can be found on this machine. */
export function hasCommand(name) {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name], { stdio: 'ignore' }).status === 0;
}

class Child {
  #lines = [];
  #waiting = null;
  #partial = '';
  #process;
  #exited = false;

  constructor(command, { env, input = false }) {
    const [file, ...args] = command;
    this.command = command;
    this.stderr = '';
    this.#process = spawn(file, args, { env, stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
    alive.add(this);
    this.exited = new Promise((resolve) => {
      const done = (status) => {
        if (this.#exited) return;
        this.#exited = true;
        alive.delete(this);
        this.status = status;
        resolve(status);
        this.#wake();
      };
      // 'close' comes after the last output was read, so that no line is lost.
      this.#process.on('close', (code, signal) => done({ code, signal }));
      this.#process.on('error', (error) => {
        this.stderr += error.message;
        done({ code: -1, signal: null });
      });
    });
    this.#process.stdout.setEncoding('utf8').on('data', (text) => this.#take(text));
    this.#process.stderr.setEncoding('utf8').on('data', (text) => {
      this.stderr = (this.stderr + text).slice(-STDERR_BYTES_MAX);
      this.#wake();
    });
    // A child that is gone makes writing to it fail; its end is reported by `exited`.
    this.#process.stdin?.on('error', () => {});
  }

  get pid() {
    return this.#process.pid;
  }

  get running() {
    return !this.#exited;
  }

  #take(text) {
    const parts = (this.#partial + text).split('\n');
    this.#partial = parts.pop();
    this.#lines.push(...parts);
    this.#wake();
  }

  #wake() {
    this.#waiting?.();
  }

  /** Waits until `check()` gives something other than undefined, or the child ends. */
  async until(check, milliseconds, what) {
    const deadline = Date.now() + milliseconds;
    for (;;) {
      const value = check();
      if (value !== undefined) return value;
      if (this.#exited) throw new Error(`${what}: ${this.describeEnd()}`);
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`${what}: nothing within ${milliseconds / 1000} s`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#waiting = null;
    }
  }

  /** The next line of stdout. */
  line(milliseconds, what = 'output') {
    return this.until(() => this.#lines.shift(), milliseconds, what);
  }

  send(text) {
    this.#process.stdin.write(text);
  }

  signal(name) {
    if (!this.#exited) this.#process.kill(name);
  }

  describeEnd() {
    const { code, signal } = this.status;
    const reason = this.stderr.trim().split('\n').slice(-12).join(' | ');
    return `ended with ${signal ?? `code ${code}`}${reason ? `: ${reason}` : ''}`;
  }

  /** SIGTERM, and SIGKILL for those that do not listen. */
  async stop() {
    if (this.#exited) return this.status;
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), TERM_MS);
    const status = await this.exited;
    clearTimeout(timer);
    return status;
  }
}

/** Starts a command. `cpu` pins it, where taskset is there. */
export function launch(command, { cpu, env = process.env, input = false } = {}) {
  if (ending) throw new Error('the run was interrupted');
  const pinned =
    cpu === undefined || !canPin ? command : ['taskset', '-c', String(cpu), ...command];
  return new Child(pinned, { env, input });
}

export const canPin = hasCommand('taskset');

/** Runs a command to its end and gives its stdout; throws when it fails. */
export async function run(command, { milliseconds = 120_000, ...options } = {}) {
  const child = launch(command, options);
  const timer = setTimeout(() => child.stop(), milliseconds);
  const lines = [];
  try {
    for (;;) lines.push(await child.line(milliseconds, command[0]));
  } catch (error) {
    if (child.running) throw error;
  } finally {
    clearTimeout(timer);
    await child.stop();
  }
  if (child.status.code !== 0) throw new Error(`${command.join(' ')}: ${child.describeEnd()}`);
  return lines.join('\n');
}

export async function stopAll() {
  await Promise.all([...alive].map((child) => child.stop()));
}

/** Ends the children first and then the runner, once, when it is told to stop. */
export function endChildrenWithRunner() {
  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ]) {
    process.on(name, async () => {
      if (ending) return;
      ending = true;
      await stopAll();
      process.exit(code);
    });
  }
  process.on('exit', () => {
    for (const child of alive) child.signal('SIGKILL');
  });
}
