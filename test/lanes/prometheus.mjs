// The lane that has a Prometheus server scrape admin(), on each engine: it must take every sample,
// know its types, evaluate the rules that are shipped, and keep exemplars. promtool checks the
// rules and the metrics.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../scripts/steps.mjs';
import { installed } from '../support/installed.mjs';

export const name = 'prometheus';
export const onRequest = true;

const ENGINES = ['poll', 'uring', 'hybrid'];
const WAIT_MS_MAX = 60_000;
const LOOK_MS = 100;
const TOKEN = 'a-token-for-prometheus';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const path = (file) => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** { server, tool }, or { reason } why there is none. Installed where that may be done. */
async function findPrometheus() {
  const { path: server, reason } = await installed(() => findProgram('prometheus'), ['prometheus']);
  return server === undefined ? { reason } : { server, tool: findProgram('promtool') };
}

async function startTarget(engine) {
  const env = { ...process.env, RINGPOLL_ENGINE: engine, TOKEN, TRACE };
  const stdio = ['ignore', 'pipe', 'inherit'];
  const child = spawn(process.execPath, [path('test/prometheus/target.mjs')], { env, stdio });
  const ended = once(child, 'exit');
  const first = once(createInterface({ input: child.stdout }), 'line');
  const [line] = await Promise.race([first, ended.then(() => ['it ended'])]);
  const [, port, admin] = /^ready (\d+) (\d+)$/.exec(line) ?? [];
  if (port === undefined) throw new Error(`the target does not start: ${line}`);
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { port, admin, stop };
}

/** Its port is told by its log: it is asked for port 0. */
async function startPrometheus(program, folder, admin) {
  copyFileSync(path('examples/monitoring/rules.yml'), join(folder, 'rules.yml'));
  writeFileSync(join(folder, 'ringpoll.token'), TOKEN, { mode: 0o600 });
  const config = [
    'global: { scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }',
    'rule_files: [rules.yml]',
    'scrape_configs:',
    '  - job_name: ringpoll',
    '    authorization: { credentials_file: ringpoll.token }',
    `    static_configs: [{ targets: ['127.0.0.1:${admin}'] }]`,
  ];
  writeFileSync(join(folder, 'prometheus.yml'), `${config.join('\n')}\n`);
  const child = spawn(
    program,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
      '--enable-feature=exemplar-storage',
    ],
    { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  let log = '';
  for await (const line of createInterface({ input: child.stderr })) {
    log += `${line}\n`;
    const [, port] = /Listening on"? .*address=127\.0\.0\.1:(\d+)/.exec(line) ?? [];
    if (port !== undefined) {
      child.stderr.resume();
      return { url: `http://127.0.0.1:${port}`, stop };
    }
  }
  await stop();
  throw new Error(`prometheus does not start:\n${log}`);
}

async function ask(prometheus, place, values = {}) {
  const query = new URLSearchParams(values);
  const { status, data, error } = await (
    await fetch(`${prometheus.url}/api/v1/${place}?${query}`)
  ).json();
  if (status !== 'success') throw new Error(`${place}: ${error}`);
  return data;
}

async function until(what, look) {
  const deadline = performance.now() + WAIT_MS_MAX;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > deadline) throw new Error(`never seen: ${what}`);
    await later(LOOK_MS);
  }
}

/** A scrape that was taken can be asked for a moment later. */
const sampleOf = (prometheus, query) =>
  until(query, async () => {
    const [sample] = (await ask(prometheus, 'query', { query })).result;
    return sample && Number(sample.value[1]);
  });

async function scene({ server, tool }, engine, check) {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-prometheus-'));
  const target = await startTarget(engine);
  const headers = { authorization: `Bearer ${TOKEN}` };
  const metrics = async () =>
    (await fetch(`http://127.0.0.1:${target.admin}/metrics`, { headers })).text();
  let prometheus;
  try {
    for (let i = 0; i < 20; i++) await fetch(`http://127.0.0.1:${target.port}/users/${i}`);
    prometheus = await startPrometheus(server, folder, target.admin);
    await until('a server that is ready', async () =>
      (await fetch(`${prometheus.url}/-/ready`)).ok ? true : undefined,
    );
    await check('each scrape is taken', async () => {
      const active = await until('a scrape', async () => {
        const { activeTargets } = await ask(prometheus, 'targets');
        return activeTargets.find(({ health }) => health !== 'unknown');
      });
      assert.equal(active.lastError, '');
      assert.equal(active.health, 'up');
    });
    await check('it has each family, with its type', async () => {
      const known = await ask(prometheus, 'targets/metadata', { match_target: '{}' });
      const types = new Map(known.map(({ metric, type }) => [metric, type]));
      for (const [, name, type] of (await metrics()).matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
        const found = types.get(name) ?? types.get(name.replace(/_total$/, ''));
        assert.equal(found, type, name);
      }
    });
    await check('it counts what was asked for', async () => {
      const query = 'sum(http_requests_total{route="/users/:id",code="200"})';
      assert.equal(await sampleOf(prometheus, query), 20);
      const count = 'sum(http_request_duration_seconds_count{route="/users/:id"})';
      assert.equal(await sampleOf(prometheus, count), 20);
    });
    await check('it keeps the trace of a request', async () => {
      const seconds = Date.now() / 1000;
      const traces = await until('an exemplar', async () => {
        const found = await ask(prometheus, 'query_exemplars', {
          query: 'http_request_duration_seconds_bucket',
          start: String(seconds - 600),
          end: String(seconds + 600),
        });
        return found.length === 0 ? undefined : found.flatMap(({ exemplars }) => exemplars);
      });
      assert.equal(traces[0].labels.trace_id, TRACE);
    });
    await check('it evaluates the rules that are shipped', async () => {
      const groups = await until('rules', async () => {
        const { groups } = await ask(prometheus, 'rules');
        const rules = groups.flatMap((group) => group.rules);
        const isDone = rules.length > 0 && rules.every(({ health }) => health !== 'unknown');
        return isDone ? groups : undefined;
      });
      const failed = groups.flatMap(({ rules }) => rules.filter(({ health }) => health !== 'ok'));
      assert.deepEqual(failed, []);
    });
    if (tool !== undefined) {
      await check('promtool has nothing to say of the metrics', async () => {
        const input = await metrics();
        const said = spawnSync(tool, ['check', 'metrics'], { input, encoding: 'utf8' });
        assert.equal(said.status, 0, said.stdout + said.stderr);
      });
    }
  } finally {
    await prometheus?.stop();
    await target.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function run(only = ENGINES) {
  const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
  const found = await findPrometheus();
  if (found.server === undefined) return { ...result, skipped: 1, notes: [found.reason] };
  const checkOf = (where) => async (what, run) => {
    try {
      await run();
      result.passed++;
    } catch (error) {
      result.failed++;
      result.notes.push(`${where}: ${what}: ${error.message}`);
    }
  };
  if (found.tool === undefined) {
    result.skipped++;
    result.notes.push('no promtool');
  } else {
    await checkOf('promtool')('has nothing to say of the rules', () => {
      const rules = path('examples/monitoring/rules.yml');
      const said = spawnSync(found.tool, ['check', 'rules', rules], { encoding: 'utf8' });
      assert.equal(said.status, 0, said.stdout + said.stderr);
    });
  }
  for (const engine of only) await scene(found, engine, checkOf(engine));
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const only = process.argv.slice(2);
  const result = await run(only.length > 0 ? only : undefined);
  console.log(result);
  process.exitCode = result.failed > 0 ? 1 : 0;
}
