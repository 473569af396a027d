// The Node versions that the package has to run on, as the npm registry has their binaries.
// They are installed into build/nodes once.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failureOf, runBounded } from '../support/command.mjs';

const folder = fileURLToPath(new URL('../../build/nodes/', import.meta.url));
const INSTALL_MS_MAX = 120_000;

export const MAJORS = [20, 22, 24, 26];

function programIn(place, arch) {
  return join(place, 'node_modules', `node-linux-${arch}`, 'bin', 'node');
}

/** The path of a Node binary: { path }, or { reason } when it could not be had. */
export async function nodeBinary(major, arch = process.arch) {
  if (process.platform !== 'linux') return { reason: 'Node binaries are taken for Linux alone' };
  const place = join(folder, arch === process.arch ? String(major) : `${major}-${arch}`);
  if (existsSync(programIn(place, arch))) return { path: programIn(place, arch) };
  const fresh = `${place}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  writeFileSync(join(fresh, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-save', '--ignore-scripts', '--force', '--no-audit', '--no-fund'];
  const name = `node-linux-${arch}@${major}`;
  const options = { msMax: INSTALL_MS_MAX, cwd: fresh, capture: true };
  const ended = await runBounded('npm', [...args, name], options);
  const failure = failureOf(ended, INSTALL_MS_MAX);
  if (failure || !existsSync(programIn(fresh, arch))) {
    return { reason: `npm install ${name}: ${failure ?? 'no binary in it'}` };
  }
  rmSync(place, { recursive: true, force: true });
  renameSync(fresh, place);
  return { path: programIn(place, arch) };
}
