import { Elysia, t } from 'elysia';

const app = new Elysia()
  .get('/', () => 'hello')
  .get('/json', () => ({ a: 1 }))
  .get('/users/:id', ({ params }) => params)
  .get('/query', ({ query }) => query)
  .post('/json', ({ body }) => ({ got: body }))
  .post('/checked', ({ body }) => body.name, { body: t.Object({ name: t.String() }) })
  .post('/text', ({ body }) => body)
  .post('/form', ({ body }) => body)
  .post('/raw', async ({ request }) => request.text(), { parse: 'none' })
  .get('/generator', function* () {
    yield 'text ';
    yield 'and grün ';
    yield 'text';
  })
  .get('/slow-generator', async function* () {
    for (let i = 0; i < 3; i++) {
      yield `${i} `;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })
  .get('/status', ({ status }) => status(418, 'teapot'))
  .get('/headers', ({ set, headers }) => {
    set.headers['x-answer'] = headers['x-a'] ?? 'none';
    return 'headers';
  })
  .get('/cookies', ({ cookie: { given, made } }) => {
    made.set({ value: 'new', httpOnly: true });
    return given.value ?? 'none';
  })
  .get('/redirect', ({ redirect }) => redirect('http://other.test/x'))
  .get('/response', () => new Response('own', { status: 201, headers: { 'x-own': '1' } }))
  .get('/thrown', () => {
    throw new Error('a message');
  })
  .onError(({ code }) => `error ${code}`);

const json = { 'content-type': 'application/json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const post = (path, body, headers) => ({ method: 'POST', path, body, headers });

export const fetch = app.fetch;
export const requests = [
  ...['/', '/json', '/users/a%20b', '/query?a=1&b=2', '/generator', '/slow-generator', '/status'],
  ...['/headers', '/redirect', '/response', '/thrown', '/nowhere', '/cookies'],
]
  .map((path) => ({ path, headers: {} }))
  .concat([
    { path: '/headers', headers: { 'x-a': 'seen' } },
    { path: '/cookies', headers: { cookie: 'given=yes' } },
    post('/json', '{"a":"ü"}', json),
    post('/json', '{', json),
    post('/checked', '{"name":"n"}', json),
    post('/checked', '{"name":1}', json),
    post('/text', 'text', { 'content-type': 'text/plain' }),
    post('/form', 'a=1&b=2', form),
    post('/raw', ['in ', 'pieces'], { 'content-type': 'text/plain' }),
    { method: 'HEAD', path: '/json' },
    { method: 'PUT', path: '/' },
  ]);
