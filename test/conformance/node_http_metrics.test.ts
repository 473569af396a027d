// What admin() tells of servers for node:http that are served natively.
import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import { get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { admin, layers } from 'ringpoll/admin';

import { describe, expect, it, onTestFinished } from 'vitest';
import { createServer } from '../../lib/node_http/index.js';
import { roundTrips } from '../support/turns.js';

type Program = (request: IncomingMessage, response: ServerResponse) => void;

async function listening(program: Program): Promise<{ server: Server; port: number }> {
  const server = createServer(program) as unknown as Server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { server, port: (server.address() as AddressInfo).port };
}

function observed() {
  const made = admin({ port: 0, token: false });
  onTestFinished(() => made.stop());
  return made;
}

const answerOf = async (url: string) => (await fetch(url)).text();
const scrape = (of: { url: string }) => answerOf(`${of.url}metrics`);

/** All that stands in it of such a sample, by its labels. */
function samples(text: string, name: string, port: number): Record<string, number> {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  const ours = lines.filter((line) => line.includes(`server="127.0.0.1:${port}"`));
  const entries = ours.map((line) => {
    const [, labels, value] = /^\w+\{server="[^"]*",?(.*)\} (.*)$/.exec(line) as RegExpExecArray;
    return [labels, Number(value)];
  });
  return Object.fromEntries(entries);
}

describe('servers for node:http', () => {
  it('are counted by method and status, with the routes of Express, from admin() on', async () => {
    const { port } = await listening((request, response) => {
      const [, kind] = (request.url as string).split('/');
      const routed = request as unknown as { route?: object; baseUrl?: string };
      if (kind === 'users') Object.assign(routed, { route: { path: '/:id' }, baseUrl: '/users' });
      if (kind === 'all') Object.assign(routed, { route: { path: '/' }, baseUrl: '/all' });
      if (kind === 'pattern') routed.route = { path: /a|b/ };
      response.statusCode = kind === 'gone' ? 410 : 200;
      if (kind !== 'pieces') return void response.end('hello');
      response.write('first, ');
      response.end('second');
    });
    const at = `http://127.0.0.1:${port}`;
    await answerOf(`${at}/before`);
    const endpoint = observed();
    for (const path of ['/users/1', '/users/2', '/all', '/pattern', '/gone', '/pieces']) {
      await answerOf(at + path);
    }
    await fetch(`${at}/users/3`, { method: 'DELETE' });
    const text = await scrape(endpoint);
    expect(samples(text, 'http_requests_total', port)).toEqual({
      'route="/users/:id",method="GET",code="200"': 2,
      'route="/users/:id",method="DELETE",code="200"': 1,
      'route="/all",method="GET",code="200"': 1,
      'route="",method="GET",code="200"': 2,
      'route="",method="GET",code="410"': 1,
    });
    expect(samples(text, 'http_request_duration_seconds_count', port)).toEqual({
      'route="/users/:id"': 3,
      'route="/all"': 1,
      'route=""': 3,
    });
    expect(samples(text, 'ringpoll_server_connections', port)['']).toBeGreaterThan(0);
  });

  it('have the routes that Fastify tells of, while they are measured', async () => {
    const channels = diagnostics.tracingChannel('fastify.request.handler');
    // As Fastify 5 does in front of a handler.
    const { port } = await listening((raw, response) => {
      const store = { request: { raw }, reply: {}, route: { url: '/items/:id', method: 'GET' } };
      if (!channels.start.hasSubscribers) return void response.end('alone');
      channels.start.runStores(store, () => response.end('told'));
    });
    const ask = () => answerOf(`http://127.0.0.1:${port}/items/7`);
    expect(await ask()).toBe('alone');
    const endpoint = observed();
    expect(await ask()).toBe('told');
    expect(samples(await scrape(endpoint), 'http_requests_total', port)).toEqual({
      'route="/items/:id",method="GET",code="200"': 1,
    });
    await endpoint.stop();
    expect(await ask()).toBe('alone');
  });

  it('are timed when their answers come later, and their aborted requests are told', async () => {
    const waiting: ServerResponse[] = [];
    const { port } = await listening((_, response) => void waiting.push(response));
    const endpoint = observed();
    const name = 'ringpoll_http_requests';
    const asked = get(`http://127.0.0.1:${port}/slow`);
    const answer = once(asked, 'response');
    const other = net.connect(port, '127.0.0.1');
    other.on('error', () => {});
    other.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    while (waiting.length < 2) await roundTrips();
    expect(samples(await scrape(endpoint), `${name}_waiting`, port)).toEqual({ '': 2 });
    const slow = waiting.find(({ req }) => req.url === '/slow') as ServerResponse;
    const gone = once(waiting.find((each) => each !== slow) as ServerResponse, 'close');
    other.resetAndDestroy();
    await gone;
    const from = performance.now();
    while (performance.now() - from < 20) await roundTrips();
    slow.end('late');
    (await answer)[0].resume();
    const text = await scrape(endpoint);
    expect(samples(text, `${name}_waiting`, port)).toEqual({ '': 0 });
    expect(samples(text, `${name}_aborted_total`, port)).toEqual({ '': 1 });
    const sum = samples(text, 'http_request_duration_seconds_sum', port)['route=""'];
    expect(sum).toBeGreaterThan(0.02);
    expect(sum).toBeLessThan(10);
  });

  it('are not ready while they end', async () => {
    const waiting: ServerResponse[] = [];
    const { server, port } = await listening((_, response) => void waiting.push(response));
    const endpoint = observed();
    const asked = get(`http://127.0.0.1:${port}/`).on('error', () => {});
    while (waiting.length === 0) await roundTrips();
    const readiness = async () => (await fetch(`${endpoint.url}ready`)).status;
    expect(await readiness()).toBe(200);
    server.close();
    expect(await readiness()).toBe(503);
    asked.destroy();
  });

  it('tell of requests that the parser refuses', async () => {
    const { port } = await listening((_, response) => void response.end());
    const endpoint = observed();
    const peer = net.connect(port, '127.0.0.1');
    peer.end('GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n');
    await once(peer.resume(), 'close');
    const errors = samples(await scrape(endpoint), 'ringpoll_http_errors_total', port);
    expect(Object.keys(errors)).toEqual([expect.stringMatching(/^code="HPE_\w+"$/)]);
  });

  it('have the time of their handlers in the layers, and requests in a trace', async () => {
    const { port } = await listening((_, response) => {
      const from = performance.now();
      while (performance.now() - from < 0.2);
      response.end('hello');
    });
    const endpoint = observed();
    const recording = answerOf(`${endpoint.url}debug/trace?seconds=1`);
    const peer = net.connect(port, '127.0.0.1');
    onTestFinished(() => void peer.destroy());
    let timed = 0;
    for (let asked = 0; timed === 0 && asked < 2000; asked++) {
      peer.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await once(peer, 'data');
      timed = layers().layers.find(({ layer }) => layer === 'handler')?.microseconds ?? 0;
    }
    expect(timed).toBeGreaterThan(100);
    expect(await recording).toContain('GET');
  });

  it('are forgotten when they have closed', async () => {
    const { server, port } = await listening((_, response) => void response.end());
    const endpoint = observed();
    await answerOf(`http://127.0.0.1:${port}/`);
    expect(await scrape(endpoint)).toContain(`server="127.0.0.1:${port}"`);
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
    expect(await scrape(endpoint)).not.toContain(`server="127.0.0.1:${port}"`);
  });
});
