// node target.mjs: a server with admin(), whose requests are traced as if a tracer had been
// installed: each belongs to the trace TRACE.
import { admin } from 'ringpoll/admin';
import { serve } from 'ringpoll/http';
import { HybridScheduler } from 'ringpoll/scheduler';
import { startTracing } from 'ringpoll/tracing';

const { TRACE, TOKEN } = process.env;
const context = { getValue: () => undefined, setValue: () => context };
const span = {
  spanContext: () => ({ traceId: TRACE, spanId: 'b7ad6b7169203331', traceFlags: 1 }),
  setAttribute() {},
  setStatus() {},
  updateName() {},
  recordException() {},
  end() {},
};
startTracing({
  api: {
    ROOT_CONTEXT: context,
    createContextKey: Symbol,
    context: {
      active: () => context,
      with: (_, run) => run(),
      setGlobalContextManager: () => true,
    },
    trace: { getTracer: () => ({ startSpan: () => span }), setSpan: () => context },
    propagation: { getBaggage: () => undefined },
  },
});
const server = serve({
  host: '127.0.0.1',
  port: 0,
  routes: { '/users/:id': ({ params }) => params.id },
});
const observed = admin({ port: 0, token: TOKEN, scheduler: new HybridScheduler() });
console.log(`ready ${server.port} ${observed.port}`);
