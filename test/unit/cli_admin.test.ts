// `ringpoll top` and `ringpoll layers`, against a server that runs.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Layers } from '../../lib/admin/layers.js';
import type { Report } from '../../lib/admin/sampler.js';
import { layersText } from '../../lib/cli/layers.js';
import { count, reportText, time } from '../../lib/cli/top_text.js';

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
// Starting Node on a busy machine takes its time.
const TEST_MS_MAX = 30_000;

async function serving(): Promise<{ port: number; admin: number }> {
  const child: ChildProcess = spawn(
    process.execPath,
    [path('bench/servers/http-plaintext.mjs'), '0'],
    { env: { ...process.env, ADMIN: '0' }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [line] = await once(child.stdout!, 'data');
  const [, port, admin] = /^ready (\d+) .*admin=(\d+)/.exec(String(line)) ?? [];
  return { port: Number(port), admin: Number(admin) };
}

function ringpoll(...args: string[]) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [path('dist/cli/main.js'), ...args], (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

/** Requests until `over` is set, one after the other. */
async function load(port: number, isOver: () => boolean): Promise<void> {
  while (!isOver()) await (await fetch(`http://127.0.0.1:${port}/`)).text();
}

describe('the commands that ask a running server', { timeout: TEST_MS_MAX }, () => {
  it('show its requests, as text and as JSON', async () => {
    const { port, admin } = await serving();
    let over = false;
    const loading = load(port, () => over);
    const [text, json] = await Promise.all([
      ringpoll('top', String(admin), '--once'),
      ringpoll('top', `http://127.0.0.1:${admin}/`, '--json'),
    ]);
    const layers = await ringpoll('layers', String(admin), '--json');
    over = true;
    await loading;
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toMatch(/^requests +[\d.]+( k)?\/s/m);
    expect(text.stdout).toContain(`127.0.0.1:${port}`);
    const report = JSON.parse(json.stdout) as Report;
    expect(report.requests.rate).toBeGreaterThan(0);
    const { requests, layers: costs } = JSON.parse(layers.stdout) as Layers;
    expect(requests).toBeGreaterThan(0);
    expect(costs.map(({ layer }) => layer)).toContain('handler');
  });

  it('say what is wrong: no server, no token, no URL', async () => {
    const nobody = await ringpoll('top', '1');
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toMatch(/^ringpoll: 127\.0\.0\.1:1 does not answer: /);
    const usage = await ringpoll('layers', 'nowhere');
    expect(usage.code).toBe(2);
    expect(usage.stderr).toContain("'nowhere' is neither a URL nor a port");
  });
});

const summary = { count: 1, mean: 1, min: 1, max: 9, p50: 1, p90: 2, p99: 3, p999: 4, p9999: 5 };
const report: Report = {
  at: 0,
  uptime: 1,
  span: 1000,
  info: { version: '1', node: 'v20', engine: 'poll', pid: 7, platform: 'linux x64' },
  servers: [],
  requests: {
    rate: 12_345,
    total: 9,
    waiting: 2,
    aborted: 0,
    classes: { '2xx': 12_000, '5xx': 0 },
    latency: summary,
  },
  routes: Array.from({ length: 20 }, (_, index) => ({
    ...{ server: 's', route: index === 0 ? '' : `/${index}`, rate: 1, failedRate: 0 },
    ...{ p50: 0.5, p99: 1500 },
  })),
  errors: { E_ONE: 3 },
  connections: {
    ...{ connecting: 0, handshake: 0, idle: 5, active: 1, open: 0, ending: 0, closing: 0 },
  },
  ways: [],
  loop: {
    turnRate: 1,
    eventRate: 1,
    busy: summary,
    delay: summary,
    phases: { waiting: 0.5, receiving: 0, javascript: 0.5, sending: 0, host: 0 },
  },
  buffers: { outstanding: 1, peak: 2, slabs: 3, leaseRate: 4 },
  collections: [{ ago: 1, ms: 2.5, kind: 'minor' }],
  cpu: { user: 0.5, system: 0.25 },
  memory: { rss: 2 ** 20, heapUsed: 2 ** 19, external: 0 },
  roundTrips: [],
  alarms: undefined,
  watchdog: undefined,
  kernel: {
    ...{ majorFaults: 0, minorFaults: 0, switches: 0, preemptions: 0 },
    ...{ migrations: 0, lockWaits: 0 },
  },
  threads: [],
  scheduler: undefined,
};

describe('the text of a report', () => {
  it('fits the terminal', () => {
    for (const [columns, rows] of [
      [80, 24],
      [40, 60],
      [200, 10],
    ]) {
      const lines = reportText(report, columns, rows).split('\n');
      expect(lines.length).toBeLessThanOrEqual(rows);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    }
  });

  it('says the numbers, and only what is there', () => {
    const text = reportText(report, 200, 100);
    expect(text).toMatch(/^requests +12\.3 k\/s, 2 wait, 9 in all$/m);
    expect(text).toMatch(/^status +2xx 12\.0 k\/s$/m);
    expect(text).toMatch(
      /^connections +idle 5\.00, active 1\.00$|^connections +idle 5, active 1$/m,
    );
    expect(text).toMatch(/^collections +1, longest 2\.50 ms$/m);
    expect(text).toContain('(none)');
    expect(text).toMatch(/500 µs +1\.50 s$/m);
  });

  it('has numbers of three digits or so', () => {
    expect([0, 0.5, 12.34, 999, 12_345, 2.5e6].map(count)).toEqual([
      ...['0', '0.50', '12.3', '999', '12.3 k', '2.50 M'],
    ]);
    expect([0, 0.0123, 5, 1234].map(time)).toEqual(['0', '12.3 µs', '5.00 ms', '1.23 s']);
  });
});

describe('the table of layers', () => {
  it('has a row for each, and their sum', () => {
    const cost = { microseconds: 1.5, share: 0.5, laps: 1 };
    const text = layersText({
      turns: 3,
      requests: 9,
      microseconds: 3,
      layers: [
        { layer: 'read', ...cost },
        { layer: 'write', ...cost },
      ],
      wholeMicroseconds: 3.125,
      measuringMicroseconds: 0.25,
    });
    expect(text).toMatch(/^read +1\.500 +50\.0 % +1\.00 +recv$/m);
    expect(text).toMatch(/^all +3\.000 +100 %/m);
    expect(text).toContain('0.250 µs');
    expect(text).toContain('3.125 µs');
  });
});
