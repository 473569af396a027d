// One request through a proxy, a server, a task, a file and another server, with the SDK and the
// exporters of OpenTelemetry. RINGPOLL is where the package lies, COLLECTOR takes what is exported.
import { metrics, propagation, trace } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

const { RINGPOLL, COLLECTOR, TRACE } = process.env;
const load = (name) => import(new URL(`${name}/index.js`, RINGPOLL).href);
const { serve } = await load('http');
const { request } = await load('client');
const { Upstream, proxy } = await load('upstream');
const { HybridScheduler } = await load('scheduler');
const { readFile } = await load('fs');
const { startTracing } = await load('tracing');

const traces = new BasicTracerProvider({
  spanProcessors: [
    new BatchSpanProcessor(new OTLPTraceExporter({ url: `${COLLECTOR}/v1/traces` })),
  ],
});
const numbers = new MeterProvider({
  readers: [
    new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ url: `${COLLECTOR}/v1/metrics` }),
      exportIntervalMillis: 600_000,
    }),
  ],
});
trace.setGlobalTracerProvider(traces);
metrics.setGlobalMeterProvider(numbers);
const tracing = startTracing();

const scheduler = new HybridScheduler();
const open = (routes) => serve({ host: '127.0.0.1', port: 0, routes });
const far = open({
  '/far': () => {
    const user = propagation.getActiveBaggage()?.getEntry('user')?.value;
    trace.getActiveSpan().setAttribute('test.baggage', user ?? 'none');
    return 'far';
  },
});
const inner = open({
  '/:name': async () => {
    const work = async () => (await readFile(new URL('package.json', import.meta.url))).length;
    const length = await scheduler.run(work, { name: 'work' });
    const answer = await request(`http://127.0.0.1:${far.port}/far`);
    return `${length} ${await answer.text()}`;
  },
});
const upstream = new Upstream({ targets: [`http://127.0.0.1:${inner.port}`] });
const outer = open({ '/outer': (asked, response) => proxy(asked, response, upstream) });

// Not by our client: what comes from a peer has a trace already.
const answer = await fetch(`http://127.0.0.1:${outer.port}/outer`, {
  headers: {
    traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
    baggage: 'user=a%20user',
  },
});
const text = await answer.text();
if (!/^[1-9]\d* far$/.test(text)) throw new Error(`answered with ${text}`);

for (const server of [outer, inner, far]) await server.stop();
await scheduler.close();
await upstream.close();
tracing.stop();
await traces.shutdown();
await numbers.shutdown();
if (tracing.errors > 0) throw new Error(`${tracing.errors} errors of the tracer`);
// Connections of the client may be kept alive still.
process.exit();
