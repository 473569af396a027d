// CONNECT: a tunnel when the handler takes it, and the end of the connection otherwise.
import type { HttpRequest, HttpResponse, ServeOptions } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import { dialHttp, exchange, parseAnswers, requestText, serveHttp } from '../support/http.js';

const CONNECT = 'CONNECT inside.example:443 HTTP/1.1\r\nHost: inside.example:443\r\n\r\n';
const ADMIN = requestText('GET', '/admin');

/** What came back, and the paths of which the handlers heard. */
async function smuggle(options: Partial<ServeOptions>, before = '') {
  const errors: string[] = [];
  const server = serveHttp({
    ...options,
    error: (error: Error) => void errors.push((error as { code?: string }).code ?? error.message),
  } as Partial<ServeOptions>);
  const text = await exchange(server, before + CONNECT + ADMIN + ADMIN);
  return { answers: parseAnswers(text), text, errors };
}

describe('CONNECT that nobody takes', () => {
  const secret = (request: HttpRequest, response: HttpResponse) =>
    response.end(request.path === '/admin' ? 'secret' : 'hello');

  it.each<[string, Partial<ServeOptions>]>([
    ['a handler', { handler: secret }],
    ['fetch', { fetch: () => new Response('secret') }],
    ['fetch, with upgrades on', { upgrade: true, fetch: () => new Response('secret') }],
    ['routes', { routes: { '/*': secret, '/admin': secret } }],
    ['static routes', { static: { '/admin': { body: 'secret' } }, handler: secret }],
  ])('never reaches %s, and nor does what follows it', async (_, options) => {
    const { answers, text, errors } = await smuggle(options);
    expect(answers).toMatchObject([{ status: 501, headers: { connection: 'close' } }]);
    expect(text).not.toContain('secret');
    expect(errors).toEqual(['ERR_RINGPOLL_HTTP_CONNECT_REFUSED']);
  });

  it('is refused behind the answers before it', async () => {
    const { answers } = await smuggle({ handler: secret }, requestText('GET', '/first'));
    expect(answers.map(({ status }) => status)).toEqual([200, 501]);
    expect(answers[0]!.body).toBe('hello');
  });

  it('ends the connection although the peer does not', async () => {
    const server = serveHttp({ handler: secret, error() {} });
    const peer = await dialHttp(server);
    peer.send(CONNECT);
    expect(await peer.untilEnd()).toMatch(/^HTTP\/1\.1 501 /);
    peer.send(ADMIN);
    peer.end();
    await peer.untilOver();
    expect(peer.text).not.toContain('secret');
  });

  it.each<[string, (response: HttpResponse) => unknown]>([
    ['end()', (response) => response.end('secret')],
    ['json()', (response) => response.json('secret')],
    ['status(204)', (response) => response.status(204).end()],
    ['write()', (response) => [response.write('sec'), response.end('ret')]],
    ['flushHead()', (response) => [response.flushHead(), response.end()]],
    ['sendWith()', (response) => response.sendWith(3, async (c) => void c.write('abc'))],
    ['later', (response) => new Promise(setImmediate).then(() => response.end('secret'))],
  ])('is not answered with 2xx by %s of a handler that may take it', async (_, answer) => {
    const paths: string[] = [];
    const { answers, errors } = await smuggle({
      upgrade: true,
      handler(request, response) {
        paths.push(request.url);
        return answer(response);
      },
    });
    expect(answers).toMatchObject([{ status: 501, headers: { connection: 'close' } }]);
    expect(paths).toEqual(['inside.example:443']);
    expect(errors).toEqual([]);
  });

  it('may be refused by the handler in its own words', async () => {
    const handler = (_: HttpRequest, response: HttpResponse) =>
      response.status(407).header('Proxy-Authenticate', 'Basic').end('who are you?');
    const { answers } = await smuggle({ upgrade: true, handler });
    expect(answers).toMatchObject([
      { status: 407, body: 'who are you?', headers: { connection: 'close' } },
    ]);
  });

  it('gets 500 from a handler that fails, and the end', async () => {
    const handler = () => {
      throw new Error('broken');
    };
    const { answers, errors } = await smuggle({ upgrade: true, handler });
    expect(answers).toMatchObject([{ status: 500, headers: { connection: 'close' } }]);
    expect(errors).toEqual(['broken']);
  });
});

describe('CONNECT that is taken', () => {
  it('makes a tunnel of what follows it', async () => {
    const server = serveHttp({
      upgrade: true,
      handler: (_, response) =>
        void response.upgrade({}, { data: (c, chunk) => void c.write(`<${chunk}>`) }),
    });
    const peer = await dialHttp(server);
    peer.send(CONNECT + ADMIN);
    const expected = `HTTP/1.1 200 OK\r\n\r\n<${ADMIN}>`;
    expect(await peer.received(expected.length)).toBe(expected);
  });
});
