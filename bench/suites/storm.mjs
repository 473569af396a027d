// A gateway in a storm, with guards and without: a target gets slow, clients surge, a release is
// bad and a target dies. What its clients see of it, second by second.
import { join } from 'node:path';
import { BENCH } from '../lib/paths.mjs';
import { launch } from '../lib/process.mjs';
import { machineLine } from '../lib/report.mjs';
import { number, percent, ratio, table, thousands } from '../lib/table.mjs';

export const describe = 'A gateway with and without guards while everything goes wrong';
/** It takes a minute for each of the two, and has no rounds. */
export const named = true;

const RATE = 150;
const SURGE = 6;
const SLOW_TIMES = 25;
const [STORM_S, SURGE_END_S, RELEASE_S, BACK_S, KILL_S, CALM_S, END_S] = [
  ...[10, 20, 20, 25, 30, 40, 55],
];
const PHASES = [
  { seconds: STORM_S, rate: RATE },
  { seconds: SURGE_END_S - STORM_S, rate: RATE * SURGE },
  { seconds: END_S - SURGE_END_S, rate: RATE },
];
const GOOD_SHARE_MIN = 0.999;
const P99_RATIO_MAX = 3;
const NORMAL_S_MAX = 5;
const LINE_MS_MAX = 30_000;
const KINDS = ['guarded', 'bare'];

const program = (...path) => [process.execPath, join(BENCH, ...path)];

/** A target, on the CPU of the load. */
async function startTarget(seed, cpu, port = 0) {
  const child = launch([...program('servers/storm-target.mjs'), String(port), String(seed)], {
    ...{ cpu, input: true },
  });
  const line = await child.line(LINE_MS_MAX, 'a target');
  return { child, port: Number(line.split(' ')[1]) };
}

async function storm(kind, { settings, log }) {
  const { loadCpu, serverCpu } = settings;
  const seeds = [1, 2, 3, 4];
  const [slow, mortal, third, release] = await Promise.all(
    seeds.map((seed) => startTarget(seed, loadCpu)),
  );
  const ports = [slow, mortal, third].map(({ port }) => String(port));
  const gateway = launch(
    [...program('servers/storm-gateway.mjs'), '0', kind, String(release.port), ...ports],
    { cpu: serverCpu, input: true },
  );
  let again;
  try {
    const [, port] = (await gateway.line(LINE_MS_MAX, 'the gateway')).split(' ');
    release.child.send('fails 0.7\ntimes 4\n');
    const args = [port, '7', JSON.stringify(PHASES)];
    const load = launch([...program('clients/storm.mjs'), ...args], { cpu: loadCpu });
    const at = {
      [STORM_S]: () => slow.child.send(`times ${SLOW_TIMES}\n`),
      [RELEASE_S]: () => gateway.send('release\n'),
      [BACK_S]: () => gateway.send('back\n'),
      [KILL_S]: () => mortal.child.signal('SIGKILL'),
      [CALM_S]: async () => {
        slow.child.send('times 1\n');
        again = await startTarget(5, loadCpu, mortal.port);
      },
    };
    try {
      for (;;) {
        const line = await load.line(LINE_MS_MAX, 'the load');
        if (!line.startsWith('second')) {
          const requests = JSON.parse(line);
          gateway.signal('SIGTERM');
          await gateway.exited;
          return { requests, events: await linesOf(gateway) };
        }
        const second = Number(line.split(' ')[1]);
        await at[second]?.();
        if (second % 10 === 0) log(`${kind}: second ${second} of ${END_S}`);
      }
    } finally {
      await load.stop();
    }
  } finally {
    const all = [slow, mortal, third, release].map(({ child }) => child);
    await Promise.all([...all, gateway, again?.child].map((child) => child?.stop()));
  }
}

/** What it has said, now that it has ended. */
async function linesOf(child) {
  const lines = [];
  try {
    for (;;) lines.push(await child.line(1, 'an event'));
  } catch {
    return lines.filter((line) => line.startsWith('event')).map((line) => line.slice(6));
  }
}

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** What clients saw from one second to another. */
function between(requests, fromS, toS) {
  const all = requests.filter(([at]) => at >= fromS && at < toS);
  const good = all.filter(([, , isGood]) => isGood === 1).map(([, ms]) => ms);
  return {
    requests: all.length,
    goodShare: good.length / all.length,
    p50Ms: quantile(good, 0.5),
    p99Ms: quantile(good, 0.99),
    maxMs: quantile(good, 1),
  };
}

/** Seconds after the calm until no second is bad any more: nothing fails, and half is as fast. */
function secondsToNormal(requests, quiet) {
  let normal = CALM_S;
  for (let second = CALM_S; second < END_S; second++) {
    const seen = between(requests, second, second + 1);
    const isBad = seen.goodShare < 1 || seen.p50Ms > 1.5 * quiet.p50Ms;
    if (isBad) normal = second + 1;
  }
  return normal - CALM_S;
}

function judge(requests) {
  const quiet = between(requests, 1, STORM_S);
  const stormy = between(requests, STORM_S, CALM_S);
  return {
    quiet,
    surge: between(requests, STORM_S, SURGE_END_S),
    release: between(requests, RELEASE_S, KILL_S),
    killed: between(requests, KILL_S, CALM_S),
    storm: stormy,
    after: between(requests, CALM_S + NORMAL_S_MAX, END_S),
    p99Ratio: stormy.p99Ms / quiet.p99Ms,
    normalS: secondsToNormal(requests, quiet),
  };
}

const PARTS = [
  ['quiet', `quiet, ${RATE} requests a second`],
  ['surge', `one target ${SLOW_TIMES} times as slow, ${SURGE} times the load`],
  ['release', 'a bad release'],
  ['killed', 'a target killed'],
  ['storm', 'all of the storm'],
  ['after', `from ${NORMAL_S_MAX} s after it on`],
];

function partTable(found) {
  const head = [
    '',
    ...KINDS.flatMap((kind) => [`good, ${kind}`, 'p50 ms', 'p99 ms', 'longest ms']),
  ];
  const rows = PARTS.map(([part, title]) => [
    title,
    ...KINDS.flatMap((kind) => {
      const seen = found[kind]?.[part];
      if (seen === undefined) return ['', '', '', ''];
      return [
        `${(100 * seen.goodShare).toFixed(2)} %`,
        ...[seen.p50Ms, seen.p99Ms, seen.maxMs].map(number),
      ];
    }),
  ]);
  return table(head, rows);
}

function targetsOf({ guarded, bare }, events) {
  const isBack = events.some((event) => event.includes('rolled-back'));
  const claim = (text, met, is, was) => ({ claim: text, met, is, was });
  return [
    claim(
      `good requests of the storm at least ${percent(GOOD_SHARE_MIN)}`,
      guarded.storm.goodShare >= GOOD_SHARE_MIN,
      `${(100 * guarded.storm.goodShare).toFixed(3)} %`,
      `${(100 * bare.storm.goodShare).toFixed(1)} %`,
    ),
    claim(
      `p99 of the storm at most ${P99_RATIO_MAX} × quiet`,
      guarded.p99Ratio <= P99_RATIO_MAX,
      `${ratio(guarded.p99Ratio)} ×`,
      `${ratio(bare.p99Ratio)} ×`,
    ),
    claim(
      `back to normal within ${NORMAL_S_MAX} s`,
      guarded.normalS <= NORMAL_S_MAX,
      `${guarded.normalS} s`,
      `${bare.normalS} s`,
    ),
    claim('the bad release goes back by itself', isBack, isBack ? 'yes' : 'no', 'no'),
  ];
}

export async function run({ settings, results, log }) {
  const found = {};
  const events = {};
  for (const kind of KINDS) {
    const { requests, events: told } = await storm(kind, { settings, log });
    found[kind] = judge(requests);
    events[kind] = told;
    for (let second = 0; second < END_S; second++) {
      results.trial({ kind, second, ...between(requests, second, second + 1) });
    }
  }
  results.data.found = found;
  results.data.events = events;
  const targets = targetsOf(found, events.guarded);
  results.data.targets = targets;
  results.failed = targets.some(({ met }) => !met);
  const rows = targets.map(({ claim, met, is, was }) => [
    claim,
    met ? 'met' : '**missed**',
    is,
    was,
  ]);
  return [
    '# A gateway in a storm',
    `${machineLine(results.data.machine)}.`,
    `${thousands(found.guarded.storm.requests)} requests come in ${CALM_S - STORM_S} s, ` +
      `whether or not earlier ones were answered; times count from when a request was due. ` +
      `From second ${STORM_S} to ${CALM_S} one of three targets takes ${SLOW_TIMES} times as ` +
      'long. ' +
      `Until second ${SURGE_END_S} the load is ${SURGE} times as high. At second ${RELEASE_S} a ` +
      `release comes that fails 70 % of its requests: as a canary behind guards, for everybody ` +
      `without, until a person takes it back ${BACK_S - RELEASE_S} s later. At second ${KILL_S} ` +
      `a target is killed. At second ${CALM_S} all are well again. Both gateways are ` +
      '`bench/servers/storm-gateway.mjs`. Percentiles are those of good requests.',
    '## Targets',
    table(['', '', 'guarded', 'bare'], rows),
    '## What clients saw',
    partTable(found),
    '## What the guarded gateway did by itself',
    events.guarded.map((event) => `- after ${event.replace(' ', ' s: ')}`).join('\n'),
  ].join('\n\n');
}
