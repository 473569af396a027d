// What WebSocket is to reach: ratios of CPU per message or delivery, and the cost of silence.
import { ENGINES, HYBRID } from '../competitors/websocket.mjs';
import { each, judgeClaims } from '../lib/claims.mjs';
import { percent, ratio } from '../lib/table.mjs';
import { atMost, verdictLine } from '../lib/targets.mjs';

const ECHOES = ['echo-64x64B', 'echo-64x64B-text', 'echo-64x64B-16', 'echo-64x16KB'];

/** What is compared, the limit, the rival, and in which cases. */
const CLAIMS = [
  ['CPU', 0.95, 'uws', ['echo-64x64B', 'echo-64x64B-text']],
  ['user CPU', 0.7, 'uws', ['echo-64x64B', 'echo-64x64B-text']],
  ['CPU', 0.6, 'uws', ['echo-64x64B-16']],
  ['CPU', 0.9, 'uws', ['echo-64x16KB']],
  ['CPU', 0.5, 'ws', ECHOES],
  ['CPU', 0.85, 'uws', ['publish-1000']],
  ['user CPU', 0.8, 'uws', ['publish-1000']],
  ['CPU', 1, 'uws', ['deflate-64x1KB']],
];
const IDLE_BYTES = 500;
const IDLE_CPU_SHARE = 0.003;

/** Every target with its verdict, and the line of the report that says so. */
export function websocketTargets(results, idleCase) {
  const medians = results.data.medians[idleCase] ?? {};
  const of = (key) => each(ENGINES, (name) => medians[name]?.[key]);
  const ratios = judgeClaims(results, CLAIMS, { engines: ENGINES, hybrid: HYBRID });
  const memory = `at most ${IDLE_BYTES} bytes per idle connection`;
  const cpu = `less than ${percent(IDLE_CPU_SHARE)} of a core for heartbeats every 30 s`;
  const idle = [
    {
      ...atMost(memory, IDLE_BYTES, of('bytesPerConnection')),
      format: (value) => value.toFixed(0),
    },
    { ...atMost(cpu, IDLE_CPU_SHARE, of('idleCpuShare')), format: percent3 },
  ];
  return [...ratios.map((target) => ({ ...target, format: ratio })), ...idle].map(
    ({ format, ...target }) => ({ ...target, line: verdictLine(target, format) }),
  );
}

const percent3 = (value) => `${(value * 100).toFixed(3)} %`;
