// node bench/servers/http-plaintext.mjs PORT: what HTTP benchmarks usually ask for.
//   /          Hello, World! made per request        /json     JSON.stringify per request
//   /static    answered by native code               /slow     after ?ms= milliseconds
import { setTimeout as delay } from 'node:timers/promises';
import { Loop } from 'ringpoll';
import { serve } from 'ringpoll/http';

const SLOW_MS_MAX = 60_000;

async function slow(request, response) {
  const asked = Number(new URLSearchParams(request.query).get('ms') ?? 0);
  await delay(Math.min(Math.max(asked || 0, 0), SLOW_MS_MAX));
  response.header('Content-Type', 'text/plain').end('slow\n');
}

function handler(request, response) {
  switch (request.path) {
    case '/':
      response.header('Content-Type', 'text/plain').end('Hello, World!');
      return undefined;
    case '/json':
      response.json({ message: 'Hello, World!' });
      return undefined;
    case '/slow':
      return slow(request, response);
    default:
      response.status(404).header('Content-Type', 'text/plain').end('Not Found\n');
      return undefined;
  }
}

const server = serve({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 8080),
  static: { '/static': { headers: { 'Content-Type': 'text/plain' }, body: 'Hello, World!' } },
  handler,
});
console.log(`ready ${server.port} engine=${Loop.current().engine}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ timeout: 2000 }).then(() => process.exit(0)));
}
