// A PostgreSQL of its own, in a temporary folder, and pgbench against it.
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './process.mjs';

const DEBIAN = '/usr/lib/postgresql';
const USER = 'postgres';
const SCALE = 5; // 500,000 accounts
const START_S = '30';

/** The folder of its programs, where Debian has them; undefined: there is none. */
export function postgresFolder() {
  if (!existsSync(DEBIAN)) return undefined;
  const versions = readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a));
  return versions
    .map((version) => join(DEBIAN, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'pgbench')) && existsSync(join(folder, 'initdb')));
}

export class Postgres {
  #bin;
  #root = mkdtempSync(join(tmpdir(), 'ringpoll-postgres-'));
  port;

  constructor(bin, port) {
    this.#bin = bin;
    this.port = port;
  }

  /** PostgreSQL does not run as root. */
  #asUser(name, ...args) {
    const command = [join(this.#bin, name), ...args];
    return process.getuid?.() === 0 ? ['runuser', '-u', USER, '--', ...command] : command;
  }

  /** `where` may name the CPU that it runs on. */
  async start(where) {
    if (process.getuid?.() === 0) {
      const uid = Number(spawnSync('id', ['-u', USER], { encoding: 'utf8' }).stdout);
      chownSync(this.#root, uid, uid);
    }
    const data = join(this.#root, 'data');
    await run(this.#asUser('initdb', '-D', data, '-A', 'trust', '-U', 'bench', '--no-sync'));
    const settings = [
      ...[`port=${this.port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories='],
      ...['fsync=off', 'shared_buffers=256MB', 'max_connections=200'],
    ];
    const options = settings.map((setting) => `-c ${setting}`).join(' ');
    const log = join(this.#root, 'log');
    const args = ['-D', data, '-l', log, '-w', '-t', START_S, '-o', options, 'start'];
    await run(this.#asUser('pg_ctl', ...args), where);
    await this.pgbench(this.port, ['-i', '-q', '-s', String(SCALE)]);
  }

  /** What pgbench prints, on `port`: its own, or a proxy's before it. */
  pgbench(port, args, where) {
    const to = ['-h', '127.0.0.1', '-p', String(port), '-U', 'bench'];
    return run([join(this.#bin, 'pgbench'), ...to, ...args, 'postgres'], where);
  }

  async stop() {
    const data = join(this.#root, 'data');
    await run(this.#asUser('pg_ctl', '-D', data, '-m', 'immediate', '-w', 'stop')).catch(() => {});
    rmSync(this.#root, { recursive: true, force: true });
  }
}
