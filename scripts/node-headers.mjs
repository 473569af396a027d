// Prints the folder that holds uv.h beside the running Node's own headers, or nothing.
// CMakeLists.txt asks, because the header package that cmake-js brings has no uv.h.
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { isMain } from './steps.mjs';

function candidates() {
  const beside = [process.execPath, realpathSync(process.execPath)].map((path) =>
    resolve(dirname(path), '..', 'include', 'node'),
  );
  const { npm_config_nodedir: nodedir } = process.env;
  const configured = nodedir ? [join(nodedir, 'include', 'node')] : [];
  // Where node-gyp keeps the headers that it has downloaded for this very version.
  const downloaded = [
    join(homedir(), '.cache', 'node-gyp'),
    join(homedir(), 'Library', 'Caches', 'node-gyp'),
  ]
    .filter(existsSync)
    .flatMap((cache) => readdirSync(cache).map((version) => join(cache, version)))
    .filter((folder) => folder.endsWith(process.versions.node))
    .map((folder) => join(folder, 'include', 'node'));
  return [...beside, ...configured, ...downloaded];
}

export function nodeHeaders() {
  return candidates().find((folder) => existsSync(join(folder, 'uv.h')));
}

if (isMain(import.meta.url)) {
  process.stdout.write(`${nodeHeaders() ?? ''}\n`);
}
