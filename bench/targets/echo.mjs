// What the TCP echo server is to reach, as ratios of CPU per message and as memory per connection.
import { ENGINES, HYBRID } from '../competitors/echo.mjs';
import { IMPORT_CASE } from '../lib/import_time.mjs';
import { cpuRatio } from '../lib/report.mjs';
import { percent, ratio } from '../lib/table.mjs';
import { atMost, verdictLine } from '../lib/targets.mjs';

const LIMIT_RATIO = 1.1;
const LIMIT_CASES = ['64x64B', '1000x64B', '64x4KB'];
const LIMIT_RATIO_16KB = 1.15;
const LIMIT_CASES_16KB = ['64x16KB'];
const BUN_RATIO = 1;
const NODE_RATIO = 0.75;
const HYBRID_RATIO = 1.05;
const IDLE_BYTES = 450;
const IDLE_CPU_SHARE = 0.002;
const IMPORT_MS = 15;

const bytes = (value) => value.toFixed(0);

/** Every target with its verdict, and the line of the report that says so. */
export function echoTargets(results, loopCases, idleCase) {
  const targets = [
    ...ratioTargets(results, loopCases),
    ...idleTargets(results, idleCase),
    importTarget(results),
  ];
  return targets.map(({ format, ...target }) => ({ ...target, line: verdictLine(target, format) }));
}

function ratioTargets(results, loopCases) {
  const loaded = [...LIMIT_CASES, ...LIMIT_CASES_16KB];
  const claims = [
    ['c-epoll', LIMIT_RATIO, LIMIT_CASES],
    ['c-epoll', LIMIT_RATIO_16KB, LIMIT_CASES_16KB],
    ['bun-listen', BUN_RATIO, loopCases],
    ['node-net', NODE_RATIO, loaded],
  ];
  const targets = [];
  for (const [rival, limit, cases] of claims) {
    for (const [who, ours] of [
      ['best engine', bestEngine],
      ['hybrid', () => HYBRID],
    ]) {
      const against = (name) => cpuRatio(results, name, ours(results, name), rival);
      const values = Object.fromEntries(cases.map((name) => [name, against(name)]));
      const claim = `CPU of the ${who} at most ${ratio(limit)} × ${rival}`;
      targets.push({ ...atMost(claim, limit, values), format: ratio });
    }
  }
  const apart = (name) => cpuRatio(results, name, HYBRID, bestEngine(results, name));
  const values = Object.fromEntries(loopCases.map((name) => [name, apart(name)]));
  const claim = `CPU of hybrid at most ${ratio(HYBRID_RATIO)} × the best engine`;
  return [...targets, { ...atMost(claim, HYBRID_RATIO, values), format: ratio }];
}

/** Of our engines the one with the lowest median CPU per message in a case. */
function bestEngine(results, caseName) {
  const medians = results.data.medians[caseName] ?? {};
  const present = ENGINES.filter((name) => medians[name]);
  return present.sort((a, b) => medians[a].cpuUs - medians[b].cpuUs)[0];
}

function idleTargets(results, idleCase) {
  const medians = results.data.medians[idleCase] ?? {};
  const of = (key) =>
    Object.fromEntries([HYBRID, ...ENGINES].map((name) => [name, medians[name]?.[key]]));
  const memory = `at most ${IDLE_BYTES} bytes per idle connection`;
  const cpu = `less than ${percent(IDLE_CPU_SHARE)} of a core while connections are silent`;
  return [
    { ...atMost(memory, IDLE_BYTES, of('bytesPerConnection')), format: bytes },
    { ...atMost(cpu, IDLE_CPU_SHARE, of('idleCpuShare')), format: percent3 },
  ];
}

function importTarget(results) {
  const { ringpoll } = results.data.medians[IMPORT_CASE] ?? {};
  const claim = `importing costs less than ${IMPORT_MS} ms over an empty process`;
  return { ...atMost(claim, IMPORT_MS, { ringpoll: ringpoll?.addedMs }), format: milliseconds };
}

const milliseconds = (value) => `${value.toFixed(1)} ms`;
const percent3 = (value) => `${(value * 100).toFixed(3)} %`;
