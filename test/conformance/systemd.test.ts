// Sockets that systemd opens, what it is told, and processes that follow each other on one
// listener.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { listen } from 'ringpoll';
import { notify, passListeners, watchdog } from 'ringpoll/lifecycle';
import { describe, expect, it, onTestFinished } from 'vitest';
import { client } from '../support/client.js';
import { programPath, spawnNode, startProgram } from '../support/program.js';
import { within } from '../support/recorder.js';

/** Another interpreter starts, on a machine that may be busy. */
const HEARD_MS_MAX = 25_000;
const hasPython = spawnSync('python3', ['--version']).status === 0;
const receiver = fileURLToPath(new URL('../support/notify_socket.py', import.meta.url));

/** Environment variables of systemd, for one test. */
function setEnvironment(variables: Record<string, string>): void {
  for (const [name, value] of Object.entries(variables)) {
    process.env[name] = value;
    onTestFinished(() => void delete process.env[name]);
  }
}

/** What systemd would hear, message by message. */
async function startSystemd(abstract: boolean) {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-notify-'));
  const path = abstract ? `@ringpoll-${process.pid}-${Math.random()}` : join(folder, 'socket');
  const child = spawn('python3', [receiver, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const first = waiting.shift();
    if (first === undefined) lines.push(line);
    else first(line);
  });
  const next = () => {
    const known = lines.shift();
    if (known !== undefined) return Promise.resolve(known);
    const line = new Promise<string>((resolve) => waiting.push(resolve));
    return within(line, () => 'a message to systemd', HEARD_MS_MAX);
  };
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  expect(await next()).toBe('ready');
  return { path, heard: async () => JSON.parse(await next()) as string };
}

describe.skipIf(!hasPython)('systemd', () => {
  it.each([
    ['a path', false],
    ['an abstract name', true],
  ])('is told what a program says, by %s', { timeout: 30_000 }, async (_, abstract) => {
    const { path, heard } = await startSystemd(abstract && process.platform === 'linux');
    setEnvironment({ NOTIFY_SOCKET: path });
    expect(notify({ READY: 1, STATUS: 'serves' })).toBe(true);
    expect(await heard()).toBe('READY=1\nSTATUS=serves');
  });

  it('hears the watchdog as long as all is well', { timeout: 30_000 }, async () => {
    const { path, heard } = await startSystemd(false);
    setEnvironment({
      ...{ NOTIFY_SOCKET: path, WATCHDOG_USEC: '20000', WATCHDOG_PID: String(process.pid) },
    });
    let isWell = true;
    let asked = 0;
    const stop = watchdog({
      healthy() {
        asked++;
        return isWell;
      },
    });
    for (let i = 0; i < 3; i++) expect(await heard()).toBe('WATCHDOG=1');
    isWell = false;
    const before = asked;
    while (asked < before + 3) await new Promise((resolve) => setTimeout(resolve, 5));
    stop?.();
    notify({ STATUS: 'end' });
    let last = await heard();
    for (let left = 3; last === 'WATCHDOG=1' && left > 0; left--) last = await heard();
    expect(last).toBe('STATUS=end');
  });
});

describe('without systemd', () => {
  it('nobody is told anything', () => {
    expect(notify({ READY: 1 })).toBe(false);
    expect(watchdog()).toBe(undefined);
    setEnvironment({ WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1' });
    expect(watchdog()).toBe(undefined);
  });

  it('a socket that is not there is an error, and so is what is no message', () => {
    setEnvironment({ NOTIFY_SOCKET: '/nowhere/at/all' });
    expect(() => notify({ READY: 1 })).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    for (const wrong of [{ ready: 1 }, { STATUS: 'a\nMAINPID=1' }, 'READY=1']) {
      const error = expect.objectContaining({ code: 'ERR_RINGPOLL_INVALID_ARG_TYPE' });
      expect(() => notify(wrong as never)).toThrow(error);
    }
  });
});

describe('a listener that is inherited', () => {
  const place = programPath('successor');

  /** A program with a listener of this process as descriptor 3. */
  function startWith(env: Record<string, string>) {
    const listener = listen({ host: '127.0.0.1', port: 0, data() {} });
    const launcher = ['sh', '-c', 'test -n "$LISTEN_PID" || export LISTEN_PID=$$; exec "$0" "$@"'];
    const descriptors = [listener.fd as number];
    const program = spawnNode([place, 'child'], { env, launcher, descriptors });
    // The program alone is to accept.
    listener.destroy();
    return program;
  }

  it('is taken from LISTEN_FDS, by its name', { timeout: 30_000 }, async () => {
    const program = startWith({ LISTEN_FDS: '1', LISTEN_FDNAMES: 'web' });
    const port = await program.port();
    expect(await program.line()).toBe('inherited web');
    const response = await client().request(`http://127.0.0.1:${port}/`);
    expect(await response.text()).toBe('child');
  });

  it('is not taken when it is for another process', { timeout: 30_000 }, async () => {
    const program = startWith({ LISTEN_FDS: '1', LISTEN_PID: '1' });
    await program.port();
    expect(await program.line()).toBe('inherited nothing');
  });
});

describe('a process that is replaced', () => {
  it('refuses no connection and breaks off no answer', { timeout: 30_000 }, async () => {
    const first = startProgram('successor', { args: ['0'] });
    const port = await first.port();
    const answers: string[] = [];
    let asking = true;
    const one = client({ maxConnections: 8, maxRequestsPerConnection: 20 });
    // A server that stops closes who has connected and says nothing for a second: on a busy machine
    // that may be we.
    let stoodStill = 0;
    let ticked = performance.now();
    const ticks = setInterval(() => {
      stoodStill = Math.max(stoodStill, performance.now() - ticked);
      ticked = performance.now();
    }, 10);
    onTestFinished(() => clearInterval(ticks));
    const late = (error: { code: string }) => {
      stoodStill = Math.max(stoodStill, performance.now() - ticked);
      if (error.code !== 'ERR_RINGPOLL_NO_RESPONSE' || stoodStill < 900) throw error;
      return undefined;
    };
    const loop = async () => {
      while (asking) {
        const response = await one.request(`http://127.0.0.1:${port}/`).catch(late);
        if (response === undefined) continue;
        expect(response.status).toBe(200);
        answers.push(await response.text());
      }
    };
    const loops = Array.from({ length: 8 }, loop);
    const seen = async (name: string) => {
      const deadline = performance.now() + 10_000;
      while (!answers.slice(-5).includes(name)) {
        expect(performance.now()).toBeLessThan(deadline);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    await seen('0');
    // Those that do not get ready change nothing.
    for (const name of ['broken', 'mute']) {
      first.child.stdin?.write(`${name}\n`);
      let line = '';
      while (!line.startsWith('kept')) line = await first.line();
      expect(line).toBe('kept ERR_RINGPOLL_SUCCESSOR');
    }
    first.child.stdin?.write('1\n');
    let line = '';
    while (!line.startsWith('passed')) line = await first.line();
    const pid = Number(line.split(' ')[1]);
    onTestFinished(() => {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    });
    await within(
      new Promise<void>((resolve) => {
        if (first.child.exitCode !== null) resolve();
        else first.child.once('exit', () => resolve());
      }),
      () => 'the end of the first process',
    );
    expect(first.child.exitCode).toBe(0);
    await seen('1');
    asking = false;
    await Promise.all(loops);
    expect(new Set(answers).size).toBeGreaterThanOrEqual(2);
    expect(answers.indexOf('1')).toBeGreaterThan(-1);
    expect(answers.lastIndexOf('0')).toBeLessThan(answers.lastIndexOf('1'));
  });

  it('needs listeners that accept', async () => {
    const listener = listen({ host: '127.0.0.1', port: 0, data() {} });
    listener.destroy();
    const error = { code: 'ERR_RINGPOLL_INVALID_ARG_TYPE' };
    await expect(passListeners({ web: listener })).rejects.toMatchObject(error);
    const other = listen({ host: '127.0.0.1', port: 0, data() {} });
    onTestFinished(() => other.destroy());
    await expect(passListeners({ 'a:b': other })).rejects.toMatchObject(error);
    const gone = passListeners({ a: other }, { command: ['/nowhere/at/all'] });
    await expect(gone).rejects.toMatchObject({ code: 'ERR_RINGPOLL_SUCCESSOR' });
  });
});
