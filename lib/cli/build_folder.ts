// Where `ringpoll build` compiles: a folder of its own, for a while. Inside of somebody's
// node_modules npm would take the package for a project, and its developers' tools for what is
// missing.
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const SOURCES = ['CMakeLists.txt', 'native', 'scripts'];
const GYP = '{ "includes": ["native/ringpoll.gypi"] }\n';
export const ADDON = join('build', 'Release', 'ringpoll.node');
/** Not beside the other: node-gyp-build takes the first addon that it finds in build/Release. */
export const BENCH_ADDON = join('build', 'bench', 'ringpoll_bench.node');

export interface BuildFolder {
  readonly path: string;
  /** Such as node-gyp@^12.4.0: tools that npm has to bring. */
  readonly missing: readonly string[];
}

interface Manifest {
  name: string;
  version: string;
  binary: object;
  devDependencies: Record<string, string>;
}

/** The folder of a package that can be found from `from`. */
function folderOf(name: string, from: string): string | undefined {
  try {
    return dirname(createRequire(join(from, 'package.json')).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** Copies the sources of the package at `top`, and links what there is of `tools`. */
export function makeBuildFolder(top: string, tools: readonly string[]): BuildFolder {
  const text = readFileSync(join(top, 'package.json'), 'utf8');
  const { name, version, binary, devDependencies } = JSON.parse(text) as Manifest;
  const path = mkdtempSync(join(tmpdir(), 'ringpoll-build-'));
  for (const source of SOURCES) {
    cpSync(join(top, source), join(path, source), { recursive: true });
  }
  writeFileSync(join(path, 'binding.gyp'), GYP);
  writeFileSync(
    join(path, 'package.json'),
    JSON.stringify({ name, version, private: true, binary }),
  );
  const missing: string[] = [];
  const modules = join(path, 'node_modules');
  mkdirSync(modules);
  const found = tools.map((tool) => [tool, folderOf(tool, top)] as const);
  // npm would remove links that it has not made: all of them, or none.
  const all = found.every(([, folder]) => folder !== undefined);
  for (const [tool, folder] of found) {
    // The same versions as in development build it elsewhere.
    if (all && folder !== undefined) symlinkSync(folder, join(modules, tool), 'dir');
    else missing.push(`${tool}@${devDependencies[tool]}`);
  }
  return { path, missing };
}

/** Moves what was built to `addon` in the package at `top`; undefined: it was not built. */
export function keepAddon({ path }: BuildFolder, top: string, addon: string): string | undefined {
  const built = join(path, dirname(ADDON), basename(addon));
  if (!existsSync(built)) return undefined;
  const place = join(top, addon);
  mkdirSync(dirname(place), { recursive: true });
  // A process may have the old one open: it keeps its file.
  copyFileSync(built, `${place}.new`);
  renameSync(`${place}.new`, place);
  return place;
}

export function removeBuildFolder({ path }: BuildFolder): void {
  rmSync(path, { recursive: true, force: true });
}
