// Servers that the smoke programs talk to, each in a folder of its own, installed with apt-get
// where that may be done. A starter resolves with { env, stop() }, or { reason } why there is none.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../scripts/steps.mjs';
import { findChromium } from '../browser/chromium.mjs';
import { findRedis, Redis } from '../redis/redis_server.mjs';
import { runStep } from '../support/command.mjs';
import { installed } from '../support/installed.mjs';

const START_MS_MAX = 30_000;
const LOOK_MS = 50;
const DEBIAN_POSTGRES = '/usr/lib/postgresql';
const isRoot = process.getuid?.() === 0;

const folderOf = (name) => mkdtempSync(join(tmpdir(), `ringpoll-smoke-${name}-`));

/** A port that is free now. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** As a user of a package's, where this is root: these servers refuse to be root's. */
async function asUser(user, folder) {
  if (!isRoot) return [];
  const uid = Number(await runStep('id', 'id', ['-u', user]));
  chownSync(folder, uid, uid);
  return ['runuser', '-u', user, '--'];
}

function postgresFolder() {
  if (!existsSync(DEBIAN_POSTGRES)) return undefined;
  const versions = readdirSync(DEBIAN_POSTGRES).sort((a, b) => Number(b) - Number(a));
  const folders = versions.map((version) => join(DEBIAN_POSTGRES, version, 'bin'));
  return folders.find((folder) => existsSync(join(folder, 'initdb')));
}

async function postgres({ certFile, keyFile }) {
  const { path, reason } = await installed(postgresFolder, ['postgresql']);
  if (path === undefined) return { reason };
  const folder = folderOf('postgres');
  const user = await asUser('postgres', folder);
  const run = (what, ...args) => {
    const [program, ...rest] = [...user, join(path, what), ...args];
    return runStep(what, program, rest, { msMax: START_MS_MAX, cwd: folder });
  };
  const data = join(folder, 'data');
  await run('initdb', '-D', data, '-A', 'trust', '-U', 'smoke', '--no-sync');
  // It takes a key that nobody else may read.
  await runStep('cp', 'cp', [certFile, keyFile, data]);
  const files = ['cert.pem', 'key.pem'].map((name) => join(data, name));
  if (isRoot) await runStep('chown', 'chown', ['postgres', ...files]);
  await runStep('chmod', 'chmod', ['600', ...files]);
  const port = await freePort();
  const settings = [
    ...[`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off'],
    ...['ssl=on', 'ssl_cert_file=cert.pem', 'ssl_key_file=key.pem'],
  ];
  const options = settings.map((setting) => `-c ${setting}`).join(' ');
  await run('pg_ctl', '-D', data, '-l', join(folder, 'log'), '-w', '-o', options, 'start');
  const stop = async () => {
    await run('pg_ctl', '-D', data, '-m', 'immediate', '-w', 'stop').catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  };
  return { env: { SMOKE_POSTGRES: String(port) }, stop };
}

async function mariadb({ certFile, keyFile }) {
  const { path, reason } = await installed(() => findProgram('mariadbd'), ['mariadb-server']);
  if (path === undefined) return { reason };
  const folder = folderOf('mariadb');
  const user = await asUser('mysql', folder);
  const data = join(folder, 'data');
  const [program, ...args] = [
    ...[...user, 'mariadb-install-db', '--no-defaults', `--datadir=${data}`],
    ...['--auth-root-authentication-method=normal', '--skip-test-db'],
  ];
  await runStep('mariadb-install-db', program, args, { msMax: START_MS_MAX, cwd: folder });
  await runStep('cp', 'cp', [certFile, keyFile, folder]);
  const files = ['cert.pem', 'key.pem'].map((name) => join(folder, name));
  if (isRoot) await runStep('chown', 'chown', ['mysql', ...files]);
  const port = await freePort();
  const socket = join(folder, 'socket');
  const [server, ...flags] = [
    ...[...user, path, '--no-defaults', `--datadir=${data}`, `--port=${port}`],
    ...['--bind-address=127.0.0.1', `--socket=${socket}`, `--pid-file=${join(folder, 'pid')}`],
    ...[`--ssl-cert=${files[0]}`, `--ssl-key=${files[1]}`, '--skip-name-resolve'],
    '--max-allowed-packet=64M',
  ];
  const child = spawn(server, flags, { cwd: folder, stdio: 'ignore' });
  const ended = once(child, 'exit');
  const sql = [
    'CREATE DATABASE test',
    "CREATE USER smoke@'%' IDENTIFIED BY 'secret'",
    "GRANT ALL ON test.* TO smoke@'%'",
  ].join(';');
  const ask = ['--no-defaults', `--socket=${socket}`, '-u', 'root', '-e', sql];
  const deadline = performance.now() + START_MS_MAX;
  for (let done = false; !done; ) {
    try {
      await runStep('mariadb', 'mariadb', ask, { msMax: START_MS_MAX });
      done = true;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
  const stop = async () => {
    const shutdown = ['--no-defaults', `--socket=${socket}`, '-u', 'root', 'shutdown'];
    await runStep('mariadb-admin', 'mariadb-admin', shutdown).catch(() => child.kill('SIGKILL'));
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { env: { SMOKE_MARIADB: String(port) }, stop };
}

async function redis() {
  const { path, reason } = await findRedis();
  if (path === undefined) return { reason };
  const server = new Redis(path);
  await server.start();
  return { env: { SMOKE_REDIS: server.socket }, stop: () => server.remove() };
}

async function chromium() {
  const { path, reason } = await findChromium();
  return path === undefined ? { reason } : { env: { SMOKE_CHROMIUM: path }, stop() {} };
}

/** By the name of the program that needs it. */
export const servers = { pg: postgres, mysql2: mariadb, ioredis: redis, puppeteer: chromium };
