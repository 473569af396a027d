// The lane that runs a program with the SDK of OpenTelemetry and its exporters, on each engine.
// They send spans and metrics by HTTP to a collector that stands here.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { installPackages } from '../support/installed.mjs';

export const name = 'telemetry';
export const onRequest = true;

const root = fileURLToPath(new URL('../../', import.meta.url));
const source = join(root, 'test', 'telemetry');
const folder = join(root, 'build', 'telemetry');
const RUN_MS_MAX = 60_000;
const ENGINES = ['poll', 'uring', 'hybrid'];
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SERVER = 2;
const CLIENT = 3;
const INTERNAL = 1;

/** Takes what exporters send, as JSON. */
async function startCollector() {
  const spans = [];
  const metrics = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const { resourceSpans = [], resourceMetrics = [] } = JSON.parse(text);
    for (const { scopeSpans } of resourceSpans) {
      for (const scope of scopeSpans) {
        for (const span of scope.spans) spans.push({ ...span, scope: scope.scope });
      }
    }
    for (const { scopeMetrics } of resourceMetrics) {
      for (const scope of scopeMetrics) metrics.push(...scope.metrics);
    }
    response.setHeader('content-type', 'application/json');
    response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, spans, metrics, stop: () => server.close() };
}

const contentOf = ({ stringValue, intValue, doubleValue }) =>
  stringValue ?? (intValue === undefined ? doubleValue : Number(intValue));
const attributesOf = ({ attributes }) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, contentOf(value)]));

async function scene(engine, check) {
  const collector = await startCollector();
  const env = {
    ...process.env,
    RINGPOLL_ENGINE: engine,
    RINGPOLL: pathToFileURL(join(root, 'dist/')).href,
    COLLECTOR: collector.url,
    TRACE,
  };
  const child = spawn(process.execPath, ['program.mjs'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const killer = setTimeout(() => child.kill('SIGKILL'), RUN_MS_MAX);
  const [code, signal] = await once(child, 'exit');
  clearTimeout(killer);
  collector.stop();
  const { spans, metrics } = collector;
  const named = (text, kind) => {
    const found = spans.filter((span) => span.name === text && span.kind === kind);
    assert.equal(found.length, 1, `spans called '${text}' of kind ${kind}`);
    return found[0];
  };
  await check('the program ends in order', () => assert.equal(signal ?? code, 0));
  await check('all spans belong to the trace of the peer', () => {
    assert.deepEqual([...new Set(spans.map(({ traceId }) => traceId))], [TRACE]);
    assert.deepEqual([...new Set(spans.map(({ scope }) => scope.name))], ['ringpoll']);
  });
  await check('the request goes through the proxy, and each step has a span', () => {
    const outer = named('GET /outer', SERVER);
    const forwarded = spans.find(({ kind, parentSpanId }) => {
      return kind === CLIENT && parentSpanId === outer.spanId;
    });
    const inner = named('GET /:name', SERVER);
    assert.equal(inner.parentSpanId, forwarded?.spanId);
    const task = named('task work', INTERNAL);
    assert.equal(task.parentSpanId, inner.spanId);
    const file = named('fs readFile', INTERNAL);
    assert.equal(file.parentSpanId, task.spanId);
    const asked = spans.find(({ kind, parentSpanId }) => {
      return kind === CLIENT && parentSpanId === inner.spanId;
    });
    assert.equal(named('GET /far', SERVER).parentSpanId, asked?.spanId);
    assert.equal(attributesOf(task)['ringpoll.task.class'], 'business');
  });
  await check('baggage comes as far as the last server', () => {
    assert.equal(attributesOf(named('GET /far', SERVER))['test.baggage'], 'a user');
  });
  await check('requests are metrics too', () => {
    const names = metrics.map((metric) => metric.name);
    for (const wanted of ['http.server.request.duration', 'http.client.request.duration']) {
      assert.ok(names.includes(wanted), `${wanted} is not among ${names}`);
    }
    const served = metrics.find((metric) => metric.name === 'http.server.request.duration');
    const counts = served.histogram.dataPoints.map(({ count }) => Number(count));
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      3,
    );
    const active = metrics.find((metric) => metric.name === 'http.server.active_requests');
    assert.deepEqual(
      active.sum.dataPoints.map(({ asInt, asDouble }) => Number(asInt ?? asDouble)),
      [0],
    );
  });
}

export async function run(only = ENGINES) {
  await installPackages(source, folder, ['program.mjs']);
  const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
  for (const engine of only) {
    await scene(engine, async (what, run) => {
      try {
        await run();
        result.passed++;
      } catch (error) {
        result.failed++;
        result.notes.push(`${engine}: ${what}: ${error.message}`);
      }
    });
  }
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const only = process.argv.slice(2);
  const result = await run(only.length > 0 ? only : undefined);
  console.log(result);
  process.exitCode = result.failed > 0 ? 1 : 0;
}
