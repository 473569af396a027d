// Prints the sources of one part for one system, one a line: the reader of native/sources.txt
// that binding.gyp uses (CMakeLists.txt has the same rules).
// Usage: node scripts/sources.mjs core|binding|bench|bench_addon [linux|bsd]
import { readFileSync } from 'node:fs';
import { isMain } from './steps.mjs';

const root = new URL('../', import.meta.url);

export function parseSources(text) {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [part, path, system] = line.split(/\s+/);
      return { part, path, system };
    });
}

const isFor = (entry, system) =>
  entry.system === undefined ||
  entry.system === system ||
  (entry.system === 'kqueue' && system === 'bsd');

export function sourcesOf(part, system) {
  return parseSources(readFileSync(new URL('native/sources.txt', root), 'utf8'))
    .filter((entry) => entry.part === part)
    .filter((entry) => isFor(entry, system))
    .map((entry) => entry.path);
}

if (isMain(import.meta.url)) {
  const [part, system = process.platform === 'linux' ? 'linux' : 'bsd'] = process.argv.slice(2);
  process.stdout.write(`${sourcesOf(part, system).join('\n')}\n`);
}
