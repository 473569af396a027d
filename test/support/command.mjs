// Runs a command that must end, in time where one is given, with everything that it started.
import { spawn } from 'node:child_process';

const GRACE_MS = 2_000;
const groups = new Set();

function killGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

// Children lead groups of their own, so that the terminal's signals do not reach them.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const pid of groups) killGroup(pid, 'SIGKILL');
    process.exit(1);
  });
}

/**
 * Resolves with { code, signal, timedOut, output }, never rejects. Without `capture` the output
 * goes straight to ours. Without `msMax` it may take as long as it likes, as a compiler may.
 */
export function runBounded(command, args, { msMax, env = {}, cwd, capture = false } = {}) {
  return new Promise((resolve) => {
    const stdio = capture ? 'pipe' : 'inherit';
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', stdio, stdio],
      detached: true,
    });
    const output = [];
    child.stdout?.on('data', (bytes) => output.push(bytes));
    child.stderr?.on('data', (bytes) => output.push(bytes));
    let timedOut = false;
    let killer;
    const stop = () => {
      timedOut = true;
      killGroup(child.pid, 'SIGTERM');
      killer = setTimeout(killGroup, GRACE_MS, child.pid, 'SIGKILL');
    };
    const timer = msMax === undefined ? undefined : setTimeout(stop, msMax);
    const finish = (code, signal, text) => {
      clearTimeout(timer);
      clearTimeout(killer);
      // Whatever outlives its leader was left behind by a test.
      if (child.pid !== undefined) {
        groups.delete(child.pid);
        killGroup(child.pid, 'SIGKILL');
      }
      resolve({ code, signal, timedOut, output: text });
    };
    child.once('error', (error) => finish(1, null, String(error)));
    child.once('spawn', () => groups.add(child.pid));
    child.once('exit', () => {
      // A grandchild may hold the pipes open: 'close' would wait for it.
      if (capture) setTimeout(() => child.stdout.destroy(), GRACE_MS).unref();
      if (capture) setTimeout(() => child.stderr.destroy(), GRACE_MS).unref();
    });
    child.once('close', (code, signal) => {
      finish(code, signal, Buffer.concat(output).toString());
    });
  });
}

/** Why a finished command counts as failed, in words, or undefined if it does not. */
export function failureOf({ code, signal, timedOut }, msMax) {
  if (timedOut) return `did not end within ${msMax / 1000} s`;
  if (signal) return `was ended by ${signal}`;
  return code === 0 ? undefined : `exit code ${code}`;
}

/** Runs a command that has to succeed; resolves with what it printed. */
export async function runStep(what, command, args, options = {}) {
  const ended = await runBounded(command, args, { capture: true, ...options });
  const failure = failureOf(ended, options.msMax);
  if (failure) throw new Error(`${what}: ${failure}\n${ended.output}`);
  return ended.output;
}
