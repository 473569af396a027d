// The fetch face where the platform's classes check what they are given, each Node in its own way.
import { Response, serve } from 'ringpoll/http';

class Mine extends Request {}

const USES = {
  request: (request) => new Request(request).text(),
  other: (request) => new Request(request, { method: 'PUT', body: 'other' }).text(),
  own: (request) => new Mine(request.url, request).text(),
  clone: (request) => new Request(request.clone()).text(),
  proxy: (request) => new Proxy(request, {}).text(),
  headers: (request) => new Headers(new Proxy(request.headers, {})).get('x-a'),
  constructor: (request) => new request.constructor(request).text(),
  instance: (request) => request instanceof Request && request.clone() instanceof Request,
  platform: () => new globalThis.Response('body') instanceof globalThis.Response,
  fetched: async (request) =>
    (await fetch(new Request(new URL('/platform', request.url), request))).status,
  twice: async (request) => [await request.text(), await request.text().catch(({ name }) => name)],
};

const server = serve({
  host: '127.0.0.1',
  port: 0,
  error() {},
  async fetch(request) {
    const use = USES[new URL(request.url).pathname.slice(1)];
    return new Response(String(await use(request)));
  },
});
for (const name of Object.keys(USES)) {
  const init = { method: 'POST', body: 'body', headers: { 'x-a': 'seen' } };
  const answer = await fetch(`http://127.0.0.1:${server.port}/${name}`, init);
  console.log(name, answer.status, await answer.text());
}
const forwarded = serve({
  host: '127.0.0.1',
  port: 0,
  fetch: (request) => new Response(request.body),
});
const relay = serve({
  host: '127.0.0.1',
  port: 0,
  fetch: (request) => {
    // To the other server, as a proxy would.
    const moved = new Request(`http://127.0.0.1:${forwarded.port}/`, request);
    moved.headers.delete('connection');
    return fetch(moved);
  },
});
const relayed = await fetch(`http://127.0.0.1:${relay.port}/`, { method: 'POST', body: 'relayed' });
console.log(relayed.status, await relayed.text());
await Promise.all([server, forwarded, relay].map((one) => one.stop({ timeout: 1000 })));
