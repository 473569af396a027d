// Packages of others whose own tests are run with ringpoll/register: where each is from, and which
// of its files are tests. They are fetched into build/faces, and never kept. A tree that is there
// already is taken as it is.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runStep } from '../support/command.mjs';

const FETCHED = fileURLToPath(new URL('../../build/faces/', import.meta.url));
const FETCH_MS_MAX = 300_000;

/**
 * `tests`: the files. `left`: those of them that are not run. `without`: its packages for
 * development that no test needs. `extra`: those that it takes from elsewhere. `steps`: what makes
 * the tree ready. `flags`: of node. `mocha`: its flags, where the tests are not for node:test.
 */
export const packages = {
  express: {
    source: 'https://github.com/expressjs/express',
    tag: 'v5.2.1',
    tests: /^test\/(acceptance\/)?[^/]+\.js$/,
    mocha: ['--require', 'test/support/env', '--check-leaks'],
  },
  koa: {
    source: 'https://github.com/koajs/koa',
    tag: 'v3.2.0',
    tests: /^__tests__\/.*\.test\.js$/,
  },
  ws: {
    source: 'https://github.com/websockets/ws',
    tag: '8.21.0',
    tests: /^test\/.*\.test\.js$/,
    mocha: ['--throw-deprecation'],
  },
  fastify: {
    source: 'https://github.com/fastify/fastify',
    tag: 'v5.12.1',
    tests: /^test\/.*\.test\.m?js$/,
    // They need a bundler and a linter.
    left: /^test\/(bundler\/|build\/error-serializer)/,
    without: /eslint|stylistic|neostandard|markdownlint|tstyche|typescript|@types|branch-comparer/,
  },
  undici: {
    source: 'https://github.com/nodejs/undici',
    tag: 'v6.28.0',
    tests: /^test\/.*\.js$/,
    // They are for other runners, or what tests load.
    left: /^test\/(autobahn|fixtures|fuzzing|imports|jest|types|utils|wpt)\//,
    without: /^(@types\/node|c8|husky|jest|pre-commit|snazzy|standard|tsd|typescript)$/,
    extra: { esbuild: '0.19.10' },
    steps: [
      ['node', 'scripts/generate-pem.js'],
      ['npm', 'run', 'build:node'],
    ],
    flags: ['--expose-gc'],
  },
};

function thin(manifest, { without, extra }) {
  const known = JSON.parse(readFileSync(manifest, 'utf8'));
  const needed = Object.entries(known.devDependencies ?? {}).filter(([one]) => !without?.test(one));
  known.devDependencies = { ...Object.fromEntries(needed), ...extra };
  delete known.scripts.prepare;
  writeFileSync(manifest, JSON.stringify(known, null, 2));
}

/** The tree of a package, ready for its tests; and the names of their files. */
export async function preparePackage(name) {
  const given = packages[name];
  const { source, tag, tests, left, steps = [] } = given;
  const tree = join(FETCHED, `${name}-${tag}`);
  const ready = join(tree, '.ready');
  if (!existsSync(ready)) {
    mkdirSync(FETCHED, { recursive: true });
    const step = (what, command, args, cwd) =>
      runStep(`${what} of ${name}`, command, args, { msMax: FETCH_MS_MAX, cwd });
    if (!existsSync(join(tree, 'package.json'))) {
      await step('git clone', 'git', ['clone', '--depth=1', '--branch', tag, source, tree]);
    }
    thin(join(tree, 'package.json'), given);
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await step('npm install', 'npm', ['install', ...quiet], tree);
    for (const [command, ...args] of steps) await step(args.join(' '), command, args, tree);
    writeFileSync(ready, '');
  }
  const all = readdirSync(tree, { recursive: true }).filter((file) => tests.test(file));
  return { tree, files: all.filter((file) => !left?.test(file)).sort() };
}
