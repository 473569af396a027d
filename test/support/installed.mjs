// What lanes need and the project does not have: programs of Debian, and packages of npm.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../scripts/steps.mjs';
import { aptInstall } from '../../scripts/toolchain.mjs';
import { failureOf, runBounded } from './command.mjs';

/**
 * { path }: what `find` gives, once `packages` are installed, where that may be done; or { reason }
 * why there is none. `how`: what somebody can do who may not.
 */
export async function installed(find, packages, { what = packages[0], how = 'install it' } = {}) {
  const there = find();
  if (there !== undefined) return { path: there };
  if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) {
    return { reason: `no ${what}: ${how}` };
  }
  try {
    await aptInstall(packages);
  } catch (error) {
    const reason = error.message.trim().split('\n').at(-1);
    return { reason: `no ${what}, and it cannot be installed: ${reason}` };
  }
  const path = find();
  return path === undefined ? { reason: `no ${what}` } : { path };
}

/**
 * Copies package.json, its lock file if there is one, and `files` from `source` to `folder`, and
 * installs the packages there, unless those are there already.
 */
export async function installPackages(source, folder, files, msMax = 300_000) {
  const isLocked = existsSync(join(source, 'package-lock.json'));
  const manifests = isLocked ? ['package.json', 'package-lock.json'] : ['package.json'];
  const wanted = createHash('sha256')
    .update(readFileSync(join(source, manifests.at(-1))))
    .digest('hex');
  mkdirSync(folder, { recursive: true });
  for (const file of [...manifests, ...files]) {
    rmSync(join(folder, file), { recursive: true, force: true });
    cpSync(join(source, file), join(folder, file), { recursive: true });
  }
  const mark = join(folder, 'node_modules', '.installed');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return;
  const verb = isLocked ? 'ci' : 'install';
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const options = { msMax, cwd: folder, capture: true };
  const ended = await runBounded('npm', [verb, ...flags], options);
  const failure = failureOf(ended, msMax);
  if (failure) throw new Error(`npm ${verb} of the packages: ${failure}\n${ended.output}`);
  writeFileSync(mark, wanted);
}
