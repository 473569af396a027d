// What the tarball has to hold, and what it must not.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { prebuildPath } from '../../scripts/targets.mjs';
import { readJson } from './consumer.mjs';

const NEEDED = [
  'package.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'CMakeLists.txt',
  'native/ringpoll.gypi',
  'native/sources.txt',
  'native/exports.map',
  'dist/index.js',
  'dist/index.d.ts',
  'dist/cli/main.js',
  'dist/admin/page/page.html',
  'node_modules/node-gyp-build/node-gyp-build.js',
];
const ALLOWED = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|CMakeLists\.txt)$/,
  /^dist\/.*\.(js|js\.map|d\.ts)$/,
  /^dist\/register\/require\.(cjs|d\.cts)$/,
  /^dist\/admin\/page\/[a-z]+\.(html|css|mjs)$/,
  /^docs\/([a-z-]+\/)?[^/]+\.md$/,
  /^native\/(sources\.txt|exports\.map|ringpoll\.gypi)$/,
  /^native\/(core|binding|bench)\/.*\.(cc|h)$/,
  /^node_modules\/node-gyp-build\//,
  /^prebuilds\/[^/]+\/ringpoll(\.(glibc|musl))?\.node$/,
  /^scripts\/[a-z-]+\.mjs$/,
];
// npm would run these on the user's machine; `install` and `gypfile` would compile there.
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare'];

/** Each complaint is a line. */
export function contentComplaints(files, target) {
  const missing = [...NEEDED, prebuildPath(target).join('/')].filter(
    (file) => !files.includes(file),
  );
  const foreign = files.filter((file) => !ALLOWED.some((pattern) => pattern.test(file)));
  return [
    ...missing.map((file) => `missing: ${file}`),
    ...foreign.map((file) => `should not be there: ${file}`),
  ];
}

/** What package.json and the sources promise each other. */
export function manifestComplaints(top, files) {
  const { scripts, gypfile, exports, bin } = readJson(join(top, 'package.json'));
  const complaints = INSTALL_SCRIPTS.filter((name) => name in scripts).map(
    (name) => `an install script: ${name}`,
  );
  if (gypfile !== false) complaints.push('"gypfile" is not false: npm would compile');
  // Conditions may stand within conditions.
  const targetsOf = (entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry).flatMap(targetsOf);
  const targets = targetsOf(exports);
  for (const target of [...targets, ...Object.values(bin)]) {
    if (!files.includes(target.replace(/^\.\//, ''))) complaints.push(`not packed: ${target}`);
  }
  const listed = readFileSync(join(top, 'native', 'sources.txt'), 'utf8')
    .split('\n')
    .filter((line) => /^(core|binding|bench|bench_addon) /.test(line))
    .map((line) => line.split(/\s+/)[1]);
  for (const path of listed) if (!files.includes(path)) complaints.push(`not packed: ${path}`);
  return complaints;
}
