import {
  AutoRouter,
  cors,
  error,
  html,
  json,
  StatusError,
  status,
  text,
  withContent,
  withCookies,
  withParams,
} from 'itty-router';

const { preflight, corsify } = cors({ origin: 'http://other.test' });
const router = AutoRouter({
  before: [preflight, withParams, withCookies],
  finally: [corsify],
});
router.get('/', () => 'hello');
router.get('/users/:id', ({ id, params, query }) => ({ id, params, query }));
router.get('/files/:path+', ({ params }) => text(params.path));
router.get('/optional/:id?', ({ params }) => params);
router.post('/content', withContent, ({ content }) => ({ content }));
router.post('/raw', async (request) => text(await request.text()));
router.post('/proxied', async (request) => text(`${request.proxy.method} ${request.proxy.url}`));
router.get('/cookies', ({ cookies }) => json(cookies));
router.get('/html', () => html('<p>ü</p>'));
router.get('/status', () => status(204));
router.get('/error', () => error(418, 'teapot'));
router.get('/thrown', () => {
  throw new StatusError(402, { error: 'pay', more: 1 });
});
router.get('/own', (request) => {
  request.mine = 'mine';
  return text(request.mine);
});

const form = { 'content-type': 'application/x-www-form-urlencoded' };

export const fetch = router.fetch;
export const requests = [
  ...['/', '/users/1?a=b&a=c', '/users/a%20b', '/files/x/y/z', '/optional', '/optional/2'],
  ...['/html', '/status', '/error', '/thrown', '/own', '/nowhere'],
]
  .map((path) => ({ path, headers: {} }))
  .concat([
    {
      method: 'POST',
      path: '/content',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    },
    { method: 'POST', path: '/content', body: 'a=1', headers: form },
    { method: 'POST', path: '/content', body: 'plain' },
    { method: 'POST', path: '/raw', body: ['in ', 'pieces'] },
    { method: 'POST', path: '/proxied', body: 'x' },
    { path: '/cookies', headers: { cookie: 'a=1; b=2' } },
    { method: 'OPTIONS', path: '/', headers: { origin: 'http://other.test' } },
    { path: '/', headers: { origin: 'http://other.test' } },
    { method: 'HEAD', path: '/' },
  ]);
