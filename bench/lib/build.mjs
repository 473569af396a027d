// Builds what the benchmarks need, on the spot and only when it is out of date: the C programs, the
// Go rivals, and the rivals from npm.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { BENCH, BUILD, PEERS } from './paths.mjs';
import { hasCommand, run } from './process.mjs';

/** A competitor that this machine cannot have, with the reason. */
export class Unavailable extends Error {}

const underway = new Map();

function once(key, work) {
  if (!underway.has(key)) underway.set(key, work());
  return underway.get(key);
}

function isFresh(output, sources) {
  if (!existsSync(output)) return false;
  const made = statSync(output).mtimeMs;
  return sources.every((source) => statSync(source).mtimeMs < made);
}

function filesIn(folder, pattern) {
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name));
}

async function compile(name, inputs, dependencies, libraries) {
  const compiler = ['cc', 'gcc', 'clang'].find(hasCommand);
  if (!compiler) throw new Unavailable('no C compiler');
  const output = join(BUILD, name);
  if (isFresh(output, dependencies)) return output;
  mkdirSync(BUILD, { recursive: true });
  try {
    await run([compiler, '-O2', '-D_GNU_SOURCE', '-o', output, ...inputs, ...libraries]);
  } catch (error) {
    throw new Unavailable(error.message);
  }
  return output;
}

/** A C server of bench/limits, by its name. */
export function limitServer(name) {
  return once(name, () => {
    const folder = join(BENCH, 'limits');
    const libraries = name.includes('uring') ? ['-luring'] : [];
    return compile(name, [join(folder, `${name}.c`)], filesIn(folder, /\.[ch]$/), libraries);
  });
}

export function loadGenerator() {
  return once('load', () => {
    const folder = join(BENCH, 'load');
    return compile('load', filesIn(folder, /\.c$/), filesIn(folder, /\.[ch]$/), ['-ldl']);
  });
}

/** Debian's way: library sources below /usr/share/gocode, and no modules. */
export function goServer(name) {
  return once(name, async () => {
    if (!hasCommand('go')) throw new Unavailable('no Go compiler');
    const source = join(PEERS, name, 'main.go');
    const output = join(BUILD, name);
    if (isFresh(output, [source])) return output;
    mkdirSync(BUILD, { recursive: true });
    const env = { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' };
    env.GOCACHE = join(BUILD, 'go-cache');
    try {
      await run(['go', 'build', '-o', output, source], { env, milliseconds: 300_000 });
    } catch (error) {
      throw new Unavailable(error.message);
    }
    return output;
  });
}

/** Installs bench/peers, without running anything that a package brings along. */
export function npmPeers() {
  return once('npm', async () => {
    const lock = readFileSync(join(PEERS, 'package-lock.json'));
    const mark = join(PEERS, 'node_modules', '.installed');
    const digest = createHash('sha256').update(lock).digest('hex');
    const wanted = `${digest} ${process.platform}-${process.arch}`;
    if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return;
    rmSync(mark, { force: true });
    // Not `npm ci`: it wants every optional package of a platform in the lock, and not all of those
    // that uWebSockets.js names were ever published. `--no-save` keeps the lock as it is.
    const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    try {
      await run(['npm', 'install', '--prefix', PEERS, ...flags], { milliseconds: 300_000 });
    } catch (error) {
      throw new Unavailable(`npm install in bench/peers: ${error.message}`);
    }
    writeFileSync(mark, wanted);
  });
}

/** Bun's binary, out of its platform package: the `bun` command itself needs an install script. */
export async function bunBinary() {
  await npmPeers();
  return once('bun', async () => {
    const folder = join(PEERS, 'node_modules', '@oven');
    const packages = existsSync(folder) ? readdirSync(folder) : [];
    for (const name of packages) {
      const binary = join(folder, name, 'bin', 'bun');
      try {
        await run([binary, '--version'], { milliseconds: 10_000 });
        return binary;
      } catch {
        // Another platform's, or one that wants instructions this CPU lacks: try the next.
      }
    }
    throw new Unavailable('no Bun binary runs here');
  });
}
