// A burst on the compute pool: six times the load for ten seconds, with a pool of fixed size beside
// pools that follow a policy.
//
// Each job blocks its worker for 10 ms and computes for 1 ms, so that more workers help on few
// cores too. The quiet load keeps two workers a third busy; the burst needs four.
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { ComputePool, dynamicP, poolPolicy } from 'ringpoll/scheduler';
import { median } from './stats.mjs';
import { number, percent, table } from './table.mjs';

const JOB = new URL('../micro/burst-job.mjs', import.meta.url);
export const WORK = { waitMs: 10, computeMs: 1 };
export const QUIET_PER_S = 60;
export const BURST_FACTOR = 6;
const WINDOW_MS = 500;
const SPREAD_MS = 2000;
const TICK_MS = 5;

export const pools = {
  'fixed, 2': { size: 2, max: 2, policy: 'fixed' },
  'fixed, 6': { size: 6, max: 6, policy: 'fixed' },
  'pool (10 s)': { size: 2, max: 8, policy: poolPolicy() },
  'pool, every 1 s': { size: 2, max: 8, policy: poolPolicy({ interval: 1000 }) },
  'dynamicP (5 s, queue 300)': { size: 2, max: 8, policy: dynamicP() },
  'dynamicP, every 1 s, queue 50': {
    size: 2,
    max: 8,
    policy: dynamicP({ interval: 1000, queue: 50 }),
  },
};

function percentile(sorted, share) {
  return sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)];
}

/** How unevenly jobs went to workers: the standard deviation as a share of the mean. */
function unevenness(counts) {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length;
  return Math.sqrt(variance) / mean;
}

/** Jobs of each worker in the last two seconds of the burst (workers only join in it). */
function lastJobs(spreads) {
  const last = spreads.at(-1);
  const before = spreads.find(({ now }) => now >= last.now - SPREAD_MS);
  return last.counts.map((count, index) => count - (before.counts[index] ?? 0));
}

/** One pool through a quiet time, the burst, and a quiet time again. */
export async function play(options, { quietS, burstS }) {
  const pool = new ComputePool({ min: 2, warm: [JOB], ...options });
  while (pool.metrics().warming > 0) await delay(TICK_MS);
  const start = performance.now();
  const phases = { burstAt: quietS * 1000, quietAt: (quietS + burstS) * 1000 };
  const endAt = phases.quietAt + quietS * 1000;
  const jobs = [];
  const latencies = { quiet: [], burst: [], after: [] };
  const windows = [];
  const sizes = [];
  const spreads = [];
  let sizeMax = 0;
  pool.on('scale', ({ to, reason }) => sizes.push({ atMs: performance.now() - start, to, reason }));

  const submit = (phase) => {
    const submittedAt = performance.now();
    const job = pool.run(JOB, WORK).then(() => {
      const now = performance.now();
      latencies[phase].push(now - submittedAt);
      const window = Math.floor((now - start) / WINDOW_MS);
      windows[window] = (windows[window] ?? 0) + 1;
    });
    jobs.push(job);
  };

  let due = 0;
  let last = 0;
  for (let now = 0; now < endAt; now = performance.now() - start) {
    const inBurst = now >= phases.burstAt && now < phases.quietAt;
    const phase = inBurst ? 'burst' : now < phases.burstAt ? 'quiet' : 'after';
    due += ((now - last) / 1000) * QUIET_PER_S * (inBurst ? BURST_FACTOR : 1);
    last = now;
    for (; due >= 1; due--) submit(phase);
    if (inBurst) spreads.push({ now, counts: pool.spread });
    sizeMax = Math.max(sizeMax, pool.size);
    await delay(TICK_MS);
  }
  await Promise.all(jobs);
  const drainedMs = performance.now() - start;
  await pool.close();
  for (const each of Object.values(latencies)) each.sort((one, other) => one - other);

  // The windows that lie wholly within the burst, the first second (where it fills up) left out.
  const from = Math.ceil((phases.burstAt + 1000) / WINDOW_MS);
  const rates = Array.from(
    { length: Math.floor(phases.quietAt / WINDOW_MS) - from },
    (_, index) => ((windows[from + index] ?? 0) * 1000) / WINDOW_MS,
  );
  return {
    quietP99Ms: percentile(latencies.quiet, 0.99),
    burstP50Ms: percentile(latencies.burst, 0.5),
    burstP99Ms: percentile(latencies.burst, 0.99),
    afterP99Ms: percentile(latencies.after, 0.99),
    burstRate: median(rates),
    swing: (Math.max(...rates) - Math.min(...rates)) / median(rates),
    unevenness: unevenness(lastJobs(spreads)),
    sizeMax,
    sizes,
    backlogMs: Math.max(drainedMs - endAt, 0),
  };
}

/** A row for each pool that was played. */
export function burstTable(results) {
  const head = ['pool', 'p50 ms', 'p99 ms', 'p99 after', 'jobs/s', 'swing', 'spread', 'workers'];
  const rows = Object.entries(results).map(([name, result]) => [
    name,
    number(result.burstP50Ms),
    number(result.burstP99Ms),
    number(result.afterP99Ms),
    number(result.burstRate),
    percent(result.swing),
    percent(result.unevenness),
    `${pools[name].size} → ${result.sizeMax}`,
  ]);
  return table(head, rows);
}

export const ABOUT_BURST = [
  'p50 and p99 are of jobs submitted in the burst, p99 after of those after it; swing is max − min',
  'of the throughput in it over its median, spread the deviation of jobs per worker over its mean.',
].join(' ');
