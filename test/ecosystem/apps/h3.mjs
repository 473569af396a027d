import {
  defineHandler,
  getCookie,
  getQuery,
  getRouterParam,
  H3,
  HTTPError,
  handleCors,
  readBody,
  redirect,
  setCookie,
} from 'h3';

const app = new H3();
app.use((event) => {
  event.res.headers.set('x-middleware', 'seen');
});
app.get('/', () => 'hello');
app.get('/json', () => ({ a: 1 }));
app.get('/users/:name', (event) => `user ${getRouterParam(event, 'name', { decode: true })}`);
app.get('/query', (event) => getQuery(event));
app.post('/json', async (event) => ({ got: await readBody(event) }));
app.post('/text', async (event) => event.req.text());
app.post('/form', async (event) => Object.fromEntries(await event.req.formData()));
app.post('/copied', async (event) => new Request(event.req, { method: 'PUT' }).text());
app.get('/cookies', (event) => {
  setCookie(event, 'a', '1');
  setCookie(event, 'b', '2', { httpOnly: true });
  return getCookie(event, 'given') ?? 'none';
});
app.get('/redirect', () => redirect('/elsewhere', 307));
app.get('/status', (event) => {
  event.res.status = 418;
  return null;
});
app.get('/error', () => {
  throw new HTTPError({ status: 409, message: 'conflict' });
});
app.get('/bytes', () => new Uint8Array([97, 98]));
app.get('/blob', () => new Blob(['blob'], { type: 'x/y' }));
app.get(
  '/stream',
  defineHandler(
    () =>
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('a'));
          controller.enqueue(new TextEncoder().encode('b'));
          controller.close();
        },
      }),
  ),
);
app.get('/url', (event) => event.url.href);
app.all('/cors', (event) => handleCors(event, { origin: '*', methods: '*' }) || 'cors');

const json = { 'content-type': 'application/json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };

export const fetch = (request) => app.fetch(request);
export const requests = [
  ...['/', '/json', '/users/a%20b', '/query?a=1&b=2', '/redirect', '/status', '/error', '/bytes'],
  ...['/blob', '/stream', '/url?x=%20', '/nowhere', '/cors', '/%E4'],
]
  .map((path) => ({ path, headers: {} }))
  .concat([
    { method: 'POST', path: '/json', body: '{"a":"ü"}', headers: json },
    { method: 'POST', path: '/json', body: '{', headers: json },
    { method: 'POST', path: '/text', body: 'text' },
    { method: 'POST', path: '/text', body: ['in ', 'pieces'] },
    { method: 'POST', path: '/form', body: 'a=1&b=2', headers: form },
    { method: 'POST', path: '/copied', body: 'copied' },
    { path: '/cookies', headers: { cookie: 'given=yes' } },
    { method: 'OPTIONS', path: '/cors', headers: { origin: 'http://other.test' } },
    { method: 'HEAD', path: '/json' },
    { method: 'PUT', path: '/' },
  ]);
