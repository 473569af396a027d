// What the clocks of HTTP connections cost: a timer is not armed anew, nor fires, for each request.
import { performance } from 'node:perf_hooks';
import { Loop } from 'ringpoll';
import { serve } from 'ringpoll/http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { client } from '../support/client.js';

const BUSY_MS = 150;
const REQUESTS_MAX = 20_000;
// By the clock of one connection a timer may fire now and then.
const FIRES_MAX = 5;

describe('the timers of HTTP', () => {
  it('do not fire for the requests of a connection that is busy', async () => {
    const server = serve({
      port: 0,
      routes: { '/static': new Response('native') },
      handler: (_, response) => response.end('made'),
    });
    onTestFinished(() => server.stop({ timeout: 0 }));
    const one = client();
    const url = `http://127.0.0.1:${server.port}`;
    await (await one.request(url)).text();
    const before = Loop.current().metrics();
    const until = performance.now() + BUSY_MS;
    let requests = 0;
    while (performance.now() < until && requests < REQUESTS_MAX) {
      const response = await one.request(requests % 2 === 0 ? url : `${url}/static`);
      await response.text();
      requests++;
    }
    const after = Loop.current().metrics();
    expect(after.httpRequests - before.httpRequests).toBe(requests);
    expect(after.timersFired - before.timersFired).toBeLessThanOrEqual(FIRES_MAX);
  });
});
