// What HTTP benchmarks usually ask for: the handler of http-plaintext.mjs and https-plaintext.mjs.
import { setTimeout as delay } from 'node:timers/promises';

const SLOW_MS_MAX = 60_000;

export const plaintextStatic = {
  '/static': { headers: { 'Content-Type': 'text/plain' }, body: 'Hello, World!' },
};

async function slow(request, response) {
  const asked = Number(new URLSearchParams(request.query).get('ms') ?? 0);
  await delay(Math.min(Math.max(asked || 0, 0), SLOW_MS_MAX));
  response.header('Content-Type', 'text/plain').end('slow\n');
}

export function plaintext(request, response) {
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
