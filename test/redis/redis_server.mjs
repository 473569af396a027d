// A redis-server on a Unix socket that can be killed and started again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../scripts/steps.mjs';
import { installed } from '../support/installed.mjs';

const START_MS_MAX = 10_000;
const LOOK_MS = 20;

/** { path }, or { reason } why there is none. Installed where that may be done. */
export const findRedis = () => installed(() => findProgram('redis-server'), ['redis-server']);

export class Redis {
  #program;
  #folder = mkdtempSync(join(tmpdir(), 'ringpoll-redis-'));
  #child;
  #keeps;
  socket = join(this.#folder, 'redis.sock');

  /** `keeps`: what it has been told is in a file before it answers. Otherwise it has no files. */
  constructor(program, { keeps = false } = {}) {
    this.#program = program;
    this.#keeps = keeps;
  }

  async start() {
    rmSync(this.socket, { force: true });
    const files = this.#keeps
      ? ['--appendonly', 'yes', '--appendfsync', 'always']
      : ['--appendonly', 'no'];
    const args = ['--port', '0', '--unixsocket', this.socket, '--save', '', ...files];
    this.#child = spawn(this.#program, args, { cwd: this.#folder, stdio: 'ignore' });
    const deadline = performance.now() + START_MS_MAX;
    while (!(await this.#answers())) {
      if (performance.now() > deadline) throw new Error('redis-server does not start');
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async kill() {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async remove() {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #answers() {
    if (!existsSync(this.socket)) return false;
    const socket = connect(this.socket);
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }
}
