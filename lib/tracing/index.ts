// ringpoll/tracing: OpenTelemetry for servers and clients.
export type { TracingOptions } from './options.js';
export { startTracing, type Tracing } from './tracing.js';
