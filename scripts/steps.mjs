// What the other scripts are made of: running a command with progress lines, hashing inputs,
// remembering what was built from them, and keeping two builds of one checkout apart.
// Plain Node without dependencies, because it runs before anything is installed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../', import.meta.url)).replace(/[\\/]$/, '');
export const inRoot = (...parts) => join(root, ...parts);

const SILENCE_MS_MAX = 10_000;
const LOCK_POLL_MS = 200;

/** Whether a module was started by name, and not imported. */
export function isMain(url) {
  const { 1: script } = process.argv;
  return script !== undefined && realpathSync(script) === fileURLToPath(url);
}

/** A failure whose message says all that the reader needs: no stack is printed for it. */
export class StepError extends Error {}

export function say(line) {
  process.stdout.write(`${line}\n`);
}

/**
 * Runs a command and resolves with its output. The output stays hidden unless the command fails,
 * or `show` is set; a line says what runs, and further ones that it is still running.
 */
export function run(label, command, args, { show = false, env = {}, cwd = root } = {}) {
  const start = Date.now();
  const seconds = () => Math.round((Date.now() - start) / 1000);
  if (label) say(`${label} ...`);
  const alive = setInterval(() => say(`${label ?? command} ... ${seconds()} s`), SILENCE_MS_MAX);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    });
    const output = [];
    child.stdout?.on('data', (bytes) => output.push(bytes));
    child.stderr?.on('data', (bytes) => output.push(bytes));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const text = Buffer.concat(output).toString();
      if (code === 0) {
        if (label && seconds() >= 2) say(`${label}: done in ${seconds()} s`);
        resolve(text);
      } else {
        const how = signal ? `was ended by ${signal}` : `failed with exit code ${code}`;
        reject(new StepError(`${text}\n${label ?? command} ${how}`));
      }
    });
  }).finally(() => clearInterval(alive));
}

export function findProgram(...names) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  for (const name of names) {
    const folder = folders.find((candidate) => existsSync(join(candidate, name)));
    if (folder !== undefined) return join(folder, name);
  }
  return undefined;
}

function* filesUnder(path) {
  if (!existsSync(path)) return;
  if (!statSync(path).isDirectory()) {
    yield path;
    return;
  }
  for (const name of readdirSync(path).sort()) yield* filesUnder(join(path, name));
}

/** One hash over the named files and folders of the checkout and some further words. */
export function hashOf(paths, words = []) {
  const hash = createHash('sha256').update(JSON.stringify(words));
  for (const path of paths) {
    for (const file of filesUnder(inRoot(path))) {
      hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0');
    }
  }
  return hash.digest('hex');
}

/** Remembers, in `file`, from which inputs something was made. */
export function stamp(file) {
  return {
    matches: (hash) => existsSync(file) && readFileSync(file, 'utf8') === hash,
    write(hash) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, hash);
    },
    clear: () => rmSync(file, { force: true }),
  };
}

function holderIsAlive(pidFile) {
  try {
    process.kill(Number(readFileSync(pidFile, 'utf8')), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs `work` while no other process runs this on the same checkout. */
export async function withBuildLock(work) {
  const folder = inRoot('build', '.lock');
  const pidFile = join(folder, 'pid');
  mkdirSync(inRoot('build'), { recursive: true });
  for (let waited = 0; ; waited += LOCK_POLL_MS) {
    try {
      mkdirSync(folder);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (waited === LOCK_POLL_MS * 5) say('waiting for another build of this checkout ...');
    // A holder that died leaves its folder; the first polls give a new one time to write its pid.
    if (waited > LOCK_POLL_MS * 5 && !holderIsAlive(pidFile)) {
      rmSync(folder, { recursive: true, force: true });
    }
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
  writeFileSync(pidFile, String(process.pid));
  try {
    return await work();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The end of every script: a StepError is a message, anything else a defect with its stack. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    process.stderr.write(`${error instanceof StepError ? error.message.trim() : error.stack}\n`);
    process.exitCode = 1;
  }
}
