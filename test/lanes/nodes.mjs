// The lane that runs the conformance tests of TLS, HTTPS, HTTP/2 and of the faces with the other
// Node versions that the package is for, and the addon that was built with this one: each has an
// OpenSSL, a node:http2 and private members of its own. It runs when it is named.
// By hand: node test/lanes/nodes.mjs [MAJOR ...]
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAJORS, nodeBinary } from '../package/nodes.mjs';
import { vitest } from '../support/vitest-lane.mjs';

export const name = 'nodes';
export const onRequest = true;
export const msMax = 20 * 60 * 1000;

const OWN = Number(process.versions.node.split('.')[0]);
const TLS = ['tls_', 'https_', 'http2', 'websocket_tls'];
const FACES = ['net', 'dgram', 'node_http', 'register'];
const FILES = [...TLS, ...FACES].map((start) => `test/conformance/${start}`);

async function runOn(major) {
  const { path, reason } = await nodeBinary(major);
  if (path === undefined) return { passed: 0, failed: 0, skipped: 1, notes: [reason] };
  const env = {
    ...{ RINGPOLL_TEST_CONFIG: 'poll', RINGPOLL_ENGINE: 'poll' },
    PATH: `${dirname(path)}:${process.env.PATH}`,
  };
  return vitest(`nodes-${major}`, ['conformance'], env, { program: path, files: FILES });
}

export async function run(majors = MAJORS.filter((major) => major !== OWN)) {
  const sum = { passed: 0, failed: 0, skipped: 0, notes: [] };
  for (const major of majors) {
    const { passed, failed, skipped, notes } = await runOn(major);
    sum.passed += passed;
    sum.failed += failed;
    sum.skipped += skipped;
    sum.notes.push(`Node ${major}: ${passed} passed, ${failed} failed`, ...notes);
  }
  return sum;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const majors = process.argv.slice(2).map(Number);
  const result = await run(majors.length > 0 ? majors : undefined);
  console.log(result);
  process.exitCode = result.failed > 0 ? 1 : 0;
}
