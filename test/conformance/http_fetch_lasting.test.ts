// A Request of the fetch face behind its response: everything about it stays readable, and what is
// small of its body, or is being read, still comes.
import { Response, type serve } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import {
  deferred,
  exchange,
  HttpClient,
  parseAnswers,
  requestText,
  serveHttp,
} from '../support/http.js';

type Fetch = (request: Request) => Response | Promise<Response>;

const SMALL = 1000;
/** More than is kept of a body that nobody reads: 64 KB. */
const LARGE = 300_000;

function server(fetch: Fetch, more = {}) {
  return serveHttp({ fetch, ...more } as never);
}

function post(length: number, headers = {}): string {
  return requestText('POST', '/x?y=z', { 'Content-Length': `${length}`, 'X-A': '1', ...headers });
}

/** Sends a head, waits for the whole answer, and only then sends the body. */
async function bodyBehindAnswer(on: ReturnType<typeof serve>, length: number, headers = {}) {
  const client = await HttpClient.connect(on);
  client.send(post(length, headers));
  const answer = await client.next();
  for (let sent = 0; sent < length; sent += SMALL) {
    client.send('x'.repeat(Math.min(SMALL, length - sent)));
  }
  return { client, answer };
}

describe('a Request behind its response', () => {
  it('can be read in a timer', async () => {
    const read = deferred<unknown[]>();
    const on = server((request) => {
      setTimeout(async () => {
        const { method, url, headers } = request;
        const text = await request.text();
        read.resolve([
          method,
          url,
          headers.get('x-a'),
          [...headers.keys()],
          text,
          request.bodyUsed,
        ]);
      }, 20);
      return new Response('soon');
    });
    const client = await HttpClient.connect(on);
    const answer = await client.post('/x?y=z', 'body', { 'X-A': '1' });
    expect(answer.body).toBe('soon');
    // The memory that it came in is used again.
    for (let i = 0; i < 20; i += 1) await client.get(`/${'other'.repeat(20)}`);
    const [method, url, a, names, text, used] = await read.promise;
    expect([method, url, a, text, used]).toEqual(['POST', 'http://test/x?y=z', '1', 'body', true]);
    expect(names).toEqual(['content-length', 'host', 'x-a']);
  });

  it('can be read whatever became of its handler, and among others of the same turn', async () => {
    const requests: Request[] = [];
    const on = server(
      (request) => {
        requests.push(request);
        if (requests.length % 3 === 0) throw new Error('thrown');
        if (requests.length % 3 === 1) return new Response('at once');
        return new Promise((resolve) => setImmediate(resolve, new Response('later')));
      },
      { error() {} },
    );
    const texts = Array.from({ length: 30 }, (_, i) =>
      i % 2 === 0
        ? requestText('GET', `/${i}`, { 'X-Number': `${i}` })
        : requestText('POST', `/${i}`, { 'X-Number': `${i}`, 'Content-Length': '2' }, 'ab'),
    );
    const answers = parseAnswers(await exchange(on, texts.join('')));
    expect(answers).toHaveLength(30);
    await exchange(on, requestText('GET', '/').repeat(50));
    const seen = requests.slice(0, 30).map(({ method, url, headers }) => {
      return `${method} ${url} ${headers.get('x-number')}`;
    });
    expect(seen).toEqual(
      texts.map((_, i) => `${i % 2 === 0 ? 'GET' : 'POST'} http://test/${i} ${i}`),
    );
    const bodies = await Promise.all(requests.slice(0, 30).map((request) => request.text()));
    expect(bodies).toEqual(texts.map((_, i) => (i % 2 === 0 ? '' : 'ab')));
  });

  it('does not abort when its connection ends later', async () => {
    const seen: Request[] = [];
    const on = server((request) => {
      seen.push(request);
      return new Response('done');
    });
    await exchange(on, requestText('GET', '/'));
    expect(seen[0]!.signal.aborted).toBe(false);
  });
});

describe.each([
  ['the connection stays', {}],
  ['the connection ends', { Connection: 'close' }],
])('acknowledge, then work: %s', (_, headers) => {
  it('gives a body that comes behind the answer', async () => {
    const worked = deferred<number>();
    const on = server((request) => {
      request.text().then(({ length }) => worked.resolve(length), worked.reject);
      return new Response('accepted', { status: 202 });
    });
    const { client, answer } = await bodyBehindAnswer(on, LARGE, headers);
    expect(answer.status).toBe(202);
    expect(await worked.promise).toBe(LARGE);
    if ('Connection' in headers) await client.peer.untilOver();
    else expect((await client.post('/', 'again')).status).toBe(202);
  });

  it('gives it as a stream, too', async () => {
    const worked = deferred<number>();
    const on = server((request) => {
      const work = async () => {
        let length = 0;
        for await (const piece of request.body as never as AsyncIterable<Uint8Array>) {
          length += piece.length;
        }
        worked.resolve(length);
      };
      work().catch(worked.reject);
      return new Response('accepted');
    });
    const { client } = await bodyBehindAnswer(on, LARGE, headers);
    expect(await worked.promise).toBe(LARGE);
    client.peer.end();
    await client.peer.untilOver();
  });

  it('keeps a small one for whoever reads it later', async () => {
    const kept: Request[] = [];
    const on = server((request) => {
      kept.push(request);
      return new Response('accepted');
    });
    const { client } = await bodyBehindAnswer(on, SMALL, headers);
    if ('Connection' in headers) await client.peer.untilOver();
    else expect((await client.get('/next')).body).toBe('accepted');
    expect(await kept[0]!.text()).toBe('x'.repeat(SMALL));
  });
});

describe('a body that nobody reads', () => {
  it('is not kept when it is large, and says so to who reads it later', async () => {
    const kept: Request[] = [];
    const on = server((request) => {
      kept.push(request);
      return new Response('accepted');
    });
    const { client, answer } = await bodyBehindAnswer(on, LARGE);
    expect(answer.headers.connection).toBe('close');
    await client.peer.untilOver();
    const code = 'ERR_RINGPOLL_HTTP_REQUEST_OVER';
    await expect(kept[0]!.text()).rejects.toMatchObject({ code });
  });

  it('is not kept when it is large without having said so', async () => {
    const kept: Request[] = [];
    const on = server((request) => {
      kept.push(request);
      return new Response('accepted');
    });
    const client = await HttpClient.connect(on);
    client.send(requestText('POST', '/', { 'Transfer-Encoding': 'chunked' }));
    await client.next();
    const chunk = `3e8\r\n${'x'.repeat(SMALL)}\r\n`;
    for (let i = 0; i < 100; i += 1) client.send(chunk);
    await client.peer.untilOver();
    const code = 'ERR_RINGPOLL_HTTP_REQUEST_OVER';
    await expect(kept[0]!.text()).rejects.toMatchObject({ code });
  });

  it('rejects when the peer leaves in the middle of it', async () => {
    const kept: Request[] = [];
    const on = server((request) => {
      kept.push(request);
      return new Response('accepted');
    });
    const client = await HttpClient.connect(on);
    client.send(post(SMALL));
    await client.next();
    client.send('x');
    client.peer.end();
    await client.peer.untilOver();
    const code = 'ERR_RINGPOLL_HTTP_ABORTED';
    await expect(kept[0]!.text()).rejects.toMatchObject({ code });
  });
});

it('stop() waits for a body that comes behind its answer, and for nothing else', async () => {
  const worked = deferred<number>();
  const on = server(
    (request) => {
      request.text().then(({ length }) => worked.resolve(length), worked.reject);
      return new Response('accepted');
    },
    { keepAliveTimeout: 0 },
  );
  const client = await HttpClient.connect(on);
  client.send(post(SMALL));
  await client.next();
  const stopped = on.stop();
  client.send('x'.repeat(SMALL));
  expect(await worked.promise).toBe(SMALL);
  await client.peer.untilOver();
  await stopped;
});

it('stop() waits for the rest of a body that nobody reads, in the other face, too', async () => {
  const on = serveHttp({ handler: (_, response) => response.end(), keepAliveTimeout: 0 });
  const client = await HttpClient.connect(on);
  client.send(post(SMALL));
  await client.next();
  const stopped = on.stop();
  client.send('x'.repeat(SMALL));
  await client.peer.untilOver();
  await stopped;
});

it('a GET with a body keeps it in clone(); the platform can have no such Request', async () => {
  const on = server(async (request) => {
    const refused = await Promise.resolve(request)
      .then((given) => new Request(given))
      .catch(({ name }) => name);
    const copy = request.clone();
    return new Response([copy.method, await copy.text(), await request.text(), refused].join());
  });
  const text = requestText('GET', '/', { 'Content-Length': '4' }, 'body');
  const [answer] = parseAnswers(await exchange(on, text));
  expect(answer!.body).toBe('GET,body,body,TypeError');
});
