// Which route a path leads to.
import { describe, expect, it } from 'vitest';
import { parameters, Router } from '../../lib/http/router.js';

const named = (name: string) => Object.assign(() => name, { route: name });
type Named = ReturnType<typeof named>;

function find(router: Router<Named>, path: string, method = 'GET') {
  const found = router.find(method, path);
  if (found === undefined) return undefined;
  return { route: found.handler?.route, params: { ...parameters(found) }, allow: found.allow };
}

const router = new Router<Named>({
  '/': named('root'),
  '/users': named('users'),
  '/users/:id': named('user'),
  '/users/me': named('me'),
  '/users/:id/posts/:post': named('post'),
  '/users/me/posts/latest': named('latest'),
  '/files/*': named('files'),
  '/files/special/:x': named('special'),
  '/methods': { GET: named('get'), POST: named('post') },
  '/head': { GET: named('get'), HEAD: named('head') },
});

describe('a router', () => {
  it.each([
    ['/', 'root', {}],
    ['/users', 'users', {}],
    ['/users/7', 'user', { id: '7' }],
    ['/users/me', 'me', {}],
    ['/users/me/posts/latest', 'latest', {}],
    ['/users/me/posts/3', 'post', { id: 'me', post: '3' }],
    ['/users/a%2Fb/posts/x%20y', 'post', { id: 'a/b', post: 'x y' }],
    ['/files/', 'files', { '*': '' }],
    ['/files/a/b/c', 'files', { '*': 'a/b/c' }],
    ['/files/special/1', 'special', { x: '1' }],
    ['/files/special/1/2', 'files', { '*': 'special/1/2' }],
    ['/files/special', 'files', { '*': 'special' }],
  ])('finds %s', (path, route, params) => {
    expect(find(router, path)).toMatchObject({ route, params });
  });

  it.each(['/nope', '/users/', '/users/7/', '/users//posts/1', '', '*', '/Users', '/files'])(
    'does not find %j',
    (path) => {
      expect(find(router, path)).toBeUndefined();
    },
  );

  it('knows the methods of a path', () => {
    expect(find(router, '/methods', 'POST')?.route).toBe('post');
    expect(find(router, '/methods', 'HEAD')?.route).toBe('get');
    expect(find(router, '/head', 'HEAD')?.route).toBe('head');
    expect(find(router, '/methods', 'PUT')).toMatchObject({
      route: undefined,
      allow: 'GET, POST, HEAD',
    });
    expect(find(router, '/users', 'ANYTHING')?.route).toBe('users');
  });

  it('keeps what a path calls its parameters apart from what objects have', () => {
    const odd = new Router<Named>({ '/:__proto__/:constructor': named('odd') });
    const found = odd.find('GET', '/a/b');
    expect(Object.entries(parameters(found!))).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    expect(odd.find('GET', '/__proto__')).toBeUndefined();
  });

  it.each([['x'], ['/a?b'], ['/a#b'], ['/:'], ['/:1'], ['/a*'], ['/*/a'], ['/a:b'], ['/:a/:a']])(
    'refuses %j',
    (path) => {
      expect(() => new Router<Named>({ [path]: named('x') })).toThrow(
        expect.objectContaining({ code: 'ERR_RINGPOLL_INVALID_ARG_VALUE' }),
      );
    },
  );

  it('refuses paths that mean the same, and handlers that are none', () => {
    const code = (name: string) => expect.objectContaining({ code: `ERR_RINGPOLL_${name}` });
    expect(() => new Router({ '/:a': named('a'), '/:b': named('b') })).toThrow(
      code('INVALID_ARG_VALUE'),
    );
    expect(() => new Router({ '/a': { get: named('a') } })).toThrow(code('INVALID_ARG_VALUE'));
    expect(() => new Router({ '/a': 5 as never })).toThrow(code('INVALID_ARG_TYPE'));
    expect(() => new Router({ '/a': { GET: 5 as never } })).toThrow(code('INVALID_ARG_TYPE'));
    expect(() => new Router(5 as never)).toThrow(code('INVALID_ARG_TYPE'));
  });
});
