// The lane of the own tests of Express, Koa, ws, Fastify and undici, with ringpoll/register. Each
// is fetched with git and npm into build/faces, and never kept. test/faces/packages.json names the
// files that fail, and why. It runs when it is named.
// By hand: node test/lanes/faces_packages.mjs [PACKAGE [WAY [PATTERN]]]
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runPackage } from '../faces/package_suite.mjs';
import { packages, preparePackage } from '../faces/packages.mjs';
import { STOCK, wayOf, ways } from '../faces/ways.mjs';

export const name = 'faces packages';
export const onRequest = true;
export const msMax = 60 * 60 * 1000;

const KEPT = new URL('../faces/packages.json', import.meta.url);
const REGISTER = new URL('../../dist/register/index.js', import.meta.url).href;

async function runOne(one, way, pattern = '') {
  const known = JSON.parse(readFileSync(KEPT, 'utf8'))[one];
  const { tree, files } = await preparePackage(one);
  const { launcher, env: added } = await wayOf(way);
  const register = { NODE_OPTIONS: `--import=${REGISTER}`, RINGPOLL_REGISTER: '' };
  const env = way === STOCK ? {} : { ...register, ...added };
  const { flags, mocha } = packages[one];
  const chosen = files.filter((file) => new RegExp(pattern).test(file));
  const results = await runPackage({ tree, files: chosen, launcher, env, flags, mocha });
  const failing = results.filter(({ why }) => why !== undefined);
  const ours = way === STOCK ? {} : { ...known.failing, ...known.failingOn?.[way] };
  const isKnown = ({ file }) => file in known.stock || file in ours;
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    files: results.length,
    failing,
    complaints: failing
      .filter((result) => !isKnown(result))
      .map(({ file, failed, why }) => `${one}, ${way}: ${file}: ${failed.join('; ')} ${why}`),
  };
}

export async function run() {
  const counts = { passed: 0, failed: 0, skipped: 0, notes: [] };
  for (const one of Object.keys(packages)) {
    for (const way of ways) {
      const { passed, complaints } = await runOne(one, way);
      counts.passed += passed;
      counts.failed += complaints.length;
      counts.notes.push(`${one}, ${way}: ${passed} passed`, ...complaints);
    }
  }
  return counts;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [only, way = 'hybrid', pattern] = process.argv.slice(2);
  for (const one of only === undefined ? Object.keys(packages) : [only]) {
    const { passed, files, failing, complaints } = await runOne(one, way, pattern);
    for (const { file, why } of failing) console.log(`${file}: ${why.split('\n')[0]}`);
    for (const complaint of complaints) console.log(complaint);
    console.log(`${one}, ${way}: ${passed} passed, ${failing.length} of ${files} files fail`);
    if (complaints.length > 0) process.exitCode = 1;
  }
}
