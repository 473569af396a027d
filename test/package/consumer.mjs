// Packs the package and installs the tarball as a user without a network would.
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../scripts/steps.mjs';
import { failureOf, runBounded } from '../support/command.mjs';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const folder = join(root, 'build', 'package');
const STEP_MS_MAX = 90_000;

/** Runs a command that has to succeed; resolves with what it printed. */
export async function step(what, command, args, options = {}) {
  const settings = { msMax: STEP_MS_MAX, cwd: root, capture: true, ...options };
  const ended = await runBounded(command, args, settings);
  const failure = failureOf(ended, settings.msMax);
  if (failure) throw new Error(`${what}: ${failure}\n${ended.output}`);
  return ended.output;
}

/**
 * A PATH with npm and what it needs, and no compiler: `npm install` must not want one.
 */
function plainPath() {
  const path = join(folder, 'bin');
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  for (const name of ['sh', 'env', 'uname', 'npm', 'npx']) {
    const program = findProgram(name);
    if (program) symlinkSync(program, join(path, name));
  }
  symlinkSync(process.execPath, join(path, 'node'));
  return path;
}

/** { tarball, files }: what `npm pack` puts where. */
export async function pack() {
  mkdirSync(folder, { recursive: true });
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const output = await step('npm pack', 'npm', args, { env: { npm_config_loglevel: 'error' } });
  const json = JSON.parse(output.slice(output.search(/^[[{]/m)));
  // A list of packages in npm 11 and before, an object by name since.
  const [packed] = Array.isArray(json) ? json : Object.values(json);
  return { tarball: join(folder, packed.filename), files: packed.files.map(({ path }) => path) };
}

/** Installs the tarball into an empty folder, without a network, and returns the folder. */
export async function install(tarball) {
  const app = join(folder, 'app');
  rmSync(app, { recursive: true, force: true });
  mkdirSync(app, { recursive: true });
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "private": true }\n');
  const path = plainPath();
  const env = { PATH: path, npm_config_cache: join(folder, 'empty-cache') };
  const args = ['install', '--offline', '--no-audit', '--no-fund', tarball];
  await step('npm install', join(path, 'npm'), args, { cwd: app, env });
  return app;
}

/** Unpacks the tarball alone: { top } is where its package.json lies. */
export async function unpack(tarball) {
  const place = join(folder, 'unpacked');
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  await step('tar', 'tar', ['-xzf', tarball, '-C', place]);
  return join(place, 'package');
}

export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** The PATH of this process with the folder of `program` in front. */
export function pathWith(program) {
  return [dirname(program), process.env.PATH].join(delimiter);
}
