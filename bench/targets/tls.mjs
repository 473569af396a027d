// What TLS is to reach: ratios of CPU per request, handshake and download, and the cost of silence.
import { ENGINES, HYBRID } from '../competitors/tls.mjs';
import { each, judgeClaims } from '../lib/claims.mjs';
import { ratio } from '../lib/table.mjs';
import { atMost, verdictLine } from '../lib/targets.mjs';

/** What is compared, the limit, the rival, and in which cases. */
const CLAIMS = [
  ['CPU', 0.9, 'uws', ['hello-c64']],
  ['CPU', 0.9, 'bun', ['hello-c64']],
  ['CPU', 0.35, 'node-https', ['hello-c64']],
  ['p99', 1, 'uws', ['hello-c64']],
  ['p99', 1, 'bun', ['hello-c64']],
  ['CPU', 0.7, 'uws', ['hello-c64-pipe16']],
  ['CPU', 1.3, 'uws', ['handshake-ec']],
  ['CPU', 0.5, 'node-https', ['handshake-ec']],
  ['CPU', 1.2, 'uws', ['handshake-rsa', 'resumed']],
  ['CPU', 1, 'nginx', ['download-1MB']],
];
const IDLE_BYTES = 4 * 1024; // with records of our own
const STORM_P99 = 3;

/** Every target with its verdict, and the line of the report that says so. */
export function tlsTargets(results, idleCase, stormCase) {
  const medians = results.data.medians[idleCase] ?? {};
  const ratios = judgeClaims(results, CLAIMS, { engines: ENGINES, hybrid: HYBRID });
  const silent = atMost(
    `at most ${IDLE_BYTES} bytes per idle connection`,
    IDLE_BYTES,
    each(ENGINES, (name) => medians[name]?.bytesPerConnection),
  );
  const storm = results.data.medians[stormCase] ?? {};
  const held = atMost(
    `p99 of requests at most ${STORM_P99} × what it is without handshakes`,
    STORM_P99,
    each(ENGINES, (name) => storm[name]?.p99Ratio),
  );
  const bytes = (value) => value.toFixed(0);
  return [
    ...ratios.map((target) => ({ ...target, line: verdictLine(target, ratio) })),
    { ...held, line: verdictLine(held, ratio) },
    { ...silent, line: verdictLine(silent, bytes) },
  ];
}
