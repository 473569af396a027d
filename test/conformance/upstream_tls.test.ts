// A gateway whose clients come over TLS, by HTTP/1.1 and by HTTP/2.
import { proxy, Upstream } from 'ringpoll/upstream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serveNode } from '../support/client.js';
import { answerOf, ask2, dialHttp2, serveHttp2 } from '../support/http2.js';
import { ask } from '../support/https.js';

async function gateway() {
  const target = await serveNode((request, response) => {
    response.setHeader('x-told', JSON.stringify(request.headers));
    response.setHeader('set-cookie', ['a=1', 'b=2']);
    if (request.url === '/never') return;
    request.pipe(response);
  });
  const upstream = new Upstream({ targets: [target.url] });
  const server = serveHttp2({
    handler: (request, response) => proxy(request, response, upstream),
  });
  onTestFinished(() => upstream.destroy());
  return { server, upstream };
}

describe('a gateway over TLS', () => {
  it('tells targets that clients have come by https', async () => {
    const { server } = await gateway();
    const got = await ask(server, '/', { method: 'POST', body: 'secret' });
    expect([got.status, got.body.toString()]).toEqual([200, 'secret']);
    const told = JSON.parse(got.headers['x-told'] as string);
    expect(told).toMatchObject({ 'x-forwarded-proto': 'https', 'x-forwarded-for': '127.0.0.1' });
  });

  it('passes requests of HTTP/2 on, with their bodies', async () => {
    const { server } = await gateway();
    const session = await dialHttp2(server);
    const body = Buffer.alloc(200_000, 'h');
    const all = await Promise.all(
      Array.from({ length: 5 }, () =>
        ask2(
          session,
          '/p?q',
          { ':method': 'POST', 'x-a': 'b', cookie: ['c=1', 'd=2'], te: 'trailers' },
          body,
        ),
      ),
    );
    for (const got of all) {
      expect(got.status).toBe(200);
      expect(got.body.equals(body)).toBe(true);
      expect(got.headers['set-cookie']).toEqual(['a=1', 'b=2']);
      expect(got.headers.connection).toBeUndefined();
      const told = JSON.parse(got.headers['x-told'] as string);
      expect(told).toMatchObject({
        'x-a': 'b',
        cookie: 'c=1; d=2',
        host: `localhost:${server.port}`,
      });
      expect(told['x-forwarded-proto']).toBe('https');
      expect(told.te).toBeUndefined();
    }
    const none = await ask2(session, '/', {});
    expect([none.status, none.body.length]).toEqual([200, 0]);
  });

  it('ends what it has asked of a target when the stream of the client is reset', async () => {
    const { server, upstream } = await gateway();
    const session = await dialHttp2(server);
    const stream = session.request({ ':path': '/never' });
    const answer = answerOf(stream);
    while (upstream.targets[0]?.active !== 1) await new Promise(setImmediate);
    stream.close(8);
    await answer.catch(() => {});
    while (upstream.targets[0]?.active !== 0) await new Promise(setImmediate);
  });
});
