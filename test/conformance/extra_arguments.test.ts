// Methods that other libraries have too take arguments there that they do not take here.
import type { Connection } from 'ringpoll';
import type { HttpResponse } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import { exchange, parseAnswers, requestText, serveHttp } from '../support/http.js';
import { pair, serve } from '../support/serve.js';

type Loose = Record<string, (...given: unknown[]) => unknown>;
const loose = (of: object) => of as unknown as Loose;
const callback = () => {};

const refused = expect.objectContaining({
  name: 'TypeError',
  code: 'ERR_RINGPOLL_INVALID_ARG_VALUE',
});

const OF_CONNECTIONS: [method: string, given: unknown[], cure: RegExp][] = [
  ['write', ['x', 'latin1'], /Buffer\.from\(text, encoding\)/],
  ['write', ['x', callback], /await drained\(\)/],
  ['write', ['x', undefined, callback], /await drained\(\)/],
  ['end', ['x', 'utf8'], /Buffer\.from\(text, encoding\)/],
  ['end', [undefined, callback], /close handler/],
  ['close', [callback], /close handler/],
  ['setTimeout', [5, callback], /timeout handler/],
  ['setKeepAlive', [true, 1000], /first argument/],
];

describe('an argument that is not known', () => {
  it.each(OF_CONNECTIONS)('to %s(%j) of a connection is refused', async (method, given, cure) => {
    const { peer, server } = await pair();
    const connection: Connection = server.connection;
    expect(() => loose(connection)[method](...given)).toThrow(refused);
    expect(() => loose(connection)[method](...given)).toThrow(cure);
    expect(() =>
      loose(connection)[method](...given.slice(0, 1).filter(isNoFunction), undefined),
    ).not.toThrow(cure);
    if (method === 'write') expect(await peer.received(1)).toBe('x');
  });

  it.each([
    ['write', ['x', 'latin1']],
    ['write', ['x', callback]],
    ['end', ['x', 'utf8']],
    ['end', ['x', undefined, callback]],
  ])('to %s(%j) of a response is refused', async (method, given) => {
    let thrown: unknown;
    const server = serveHttp({
      handler(_, response: HttpResponse) {
        try {
          loose(response)[method](...given);
        } catch (error) {
          thrown = error;
          response.end('refused');
        }
      },
    });
    const [answer] = parseAnswers(await exchange(server, requestText('GET', '/')));
    expect(answer!.body).toBe('refused');
    expect(thrown).toEqual(refused);
  });

  it('to close() and stop() of a server is refused', () => {
    for (const server of [serve(), serveHttp({ handler() {} })]) {
      expect(() => loose(server).close(callback)).toThrow(refused);
      expect(() => loose(server).stop(callback)).toThrow(TypeError);
      expect(server.connections).toBe(0);
    }
  });
});

function isNoFunction(value: unknown): boolean {
  return typeof value !== 'function';
}
