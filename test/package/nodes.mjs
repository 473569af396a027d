// The Node versions that the package has to run on, as the npm registry has their binaries.
// They are installed into build/nodes once.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failureOf, runBounded } from '../support/command.mjs';

const folder = fileURLToPath(new URL('../../build/nodes/', import.meta.url));
const INSTALL_MS_MAX = 120_000;

export const MAJORS = [20, 22, 24, 26];

// Bun's own link is made by an install script, which does not run here.
const BUN_CPU = { x64: 'x64', arm64: 'aarch64' }[process.arch];
/** Other programs that run npm packages, by the package that has them: its path in node_modules. */
export const OTHERS = { bun: `@oven/bun-linux-${BUN_CPU}/bin/bun`, deno: '.bin/deno' };

/** The path of a program of an npm package: { path }, or { reason } when it could not be had. */
async function npmProgram(spec, place, program) {
  if (process.platform !== 'linux') return { reason: 'binaries are taken for Linux alone' };
  const programIn = (top) => join(top, 'node_modules', program);
  if (existsSync(programIn(place))) return { path: programIn(place) };
  const fresh = `${place}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  writeFileSync(join(fresh, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-save', '--ignore-scripts', '--force', '--no-audit', '--no-fund'];
  const options = { msMax: INSTALL_MS_MAX, cwd: fresh, capture: true };
  const ended = await runBounded('npm', [...args, spec], options);
  const failure = failureOf(ended, INSTALL_MS_MAX);
  if (failure || !existsSync(programIn(fresh))) {
    return { reason: `npm install ${spec}: ${failure ?? 'no binary in it'}` };
  }
  rmSync(place, { recursive: true, force: true });
  renameSync(fresh, place);
  return { path: programIn(place) };
}

/** The path of a Node binary, or the reason. */
export function nodeBinary(major, arch = process.arch) {
  const place = join(folder, arch === process.arch ? String(major) : `${major}-${arch}`);
  return npmProgram(`node-linux-${arch}@${major}`, place, `node-linux-${arch}/bin/node`);
}

/** That of another runtime. */
export function otherBinary(name) {
  return npmProgram(name, join(folder, name), OTHERS[name]);
}
