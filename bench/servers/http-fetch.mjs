// node bench/servers/http-fetch.mjs PORT [light|platform]: Hello, World! by a fetch handler, with
// the Response of ringpoll/http or with Node's own.
import { Loop } from 'ringpoll';
import { Response as LightResponse, serve } from 'ringpoll/http';

const handlers = {
  light: () => new LightResponse('Hello, World!'),
  platform: () => new Response('Hello, World!'),
};

const server = serve({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 8080),
  fetch: handlers[process.argv[3] ?? 'light'],
});
console.log(`ready ${server.port} engine=${Loop.current().engine}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ timeout: 2000 }).then(() => process.exit(0)));
}
