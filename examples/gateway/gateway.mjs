// A gateway: requests go to the targets in turn, behind guards. A target that fails is left out for
// a while, and one that breaks an answer off is not asked twice for the same POST.
//   node examples/gateway/gateway.mjs 8080 http://127.0.0.1:3001 http://127.0.0.1:3002
//   curl -i http://127.0.0.1:8080/any/path
//   curl http://127.0.0.1:8080/gateway/status
import { guard } from 'ringpoll/guards';
import { serve } from 'ringpoll/http';
import { proxy, Upstream } from 'ringpoll/upstream';

const [port = '8080', ...targets] = process.argv.slice(2);
if (targets.length === 0) {
  console.error('usage: gateway.mjs PORT TARGET...');
  process.exit(1);
}

const upstream = new Upstream({
  targets,
  balance: 'p2c-ewma',
  outlier: { consecutive5xx: 5, ejection: 60_000 },
  slowStart: 10_000,
});
const options = { retry: { attempts: 2 }, timeout: 5000 };

const handler = guard((request, response) => proxy(request, response, upstream, options), {
  rate: { rate: 1000, burst: 2000 },
  concurrency: { limit: 'adaptive' },
  priority: (request) => (request.path.startsWith('/checkout') ? 'high' : 'normal'),
});

const server = serve({
  host: '127.0.0.1',
  port: Number(port),
  upgrade: true,
  routes: {
    '/gateway/status': (_, response) =>
      response.json({ guards: handler.counts, targets: upstream.targets }),
  },
  handler,
});
console.log(`http://127.0.0.1:${server.port}/ leads to ${targets.join(', ')}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await server.stop({ timeout: 10_000 });
    upstream.close();
  });
}
