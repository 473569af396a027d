// Hono with the middlewares that it brings along.
import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import { bearerAuth } from 'hono/bearer-auth';
import { bodyLimit } from 'hono/body-limit';
import { every, except, some } from 'hono/combine';
import { compress } from 'hono/compress';
import { contextStorage, getContext } from 'hono/context-storage';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { cors } from 'hono/cors';
import { csrf } from 'hono/csrf';
import { etag } from 'hono/etag';
import { html } from 'hono/html';
import { ipRestriction } from 'hono/ip-restriction';
import { jwt, sign } from 'hono/jwt';
import { languageDetector } from 'hono/language';
import { logger } from 'hono/logger';
import { methodOverride } from 'hono/method-override';
import { poweredBy } from 'hono/powered-by';
import { prettyJSON } from 'hono/pretty-json';
import { requestId } from 'hono/request-id';
import { secureHeaders } from 'hono/secure-headers';
import { stream, streamSSE, streamText } from 'hono/streaming';
import { timeout } from 'hono/timeout';
import { timing } from 'hono/timing';
import { trimTrailingSlash } from 'hono/trailing-slash';
import { validator } from 'hono/validator';

const ETAG = `"${createHash('sha1').update('etag').digest('hex')}"`;
const SECRET = 'a secret of the tests';
const token = await sign({ name: 'me' }, SECRET, 'HS256');
const app = new Hono({ strict: true });

app.use(
  contextStorage(),
  logger(() => {}),
  poweredBy(),
  trimTrailingSlash(),
  requestId(),
);
app.use('/timing', timing({ total: false }));
app.use('/secure', secureHeaders(), cors({ origin: 'http://other.test', credentials: true }));
app.use('/etag', etag());
app.use('/pretty', prettyJSON());
app.use('/compressed', compress({ threshold: 10 }));
app.use('/basic', basicAuth({ username: 'a', password: 'b' }));
app.use('/bearer', bearerAuth({ token: 'abc' }));
app.use('/jwt', jwt({ secret: SECRET, alg: 'HS256' }));
app.use('/csrf', csrf());
app.use('/limited', bodyLimit({ maxSize: 10, onError: (c) => c.text('too much', 413) }));
app.use('/late', timeout(20));
app.use(
  '/language',
  languageDetector({ supportedLanguages: ['en', 'de'], fallbackLanguage: 'en' }),
);
app.use(
  '/local',
  ipRestriction(() => '127.0.0.1', { allowList: ['127.0.0.1'] }),
);
app.use(
  '/foreign',
  ipRestriction(() => '10.0.0.1', { allowList: ['127.0.0.1'] }),
);
app.use(
  '/combined',
  some(every(basicAuth({ username: 'a', password: 'b' })), bearerAuth({ token: 'abc' })),
);
app.use('/except/*', except('/except/public', bearerAuth({ token: 'abc' })));
app.use('/overridden', methodOverride({ app }));

for (const path of [
  'secure',
  'etag',
  'basic',
  'bearer',
  'local',
  'foreign',
  'combined',
  'timing',
]) {
  app.get(`/${path}`, (c) => c.text(path));
}
app.get('/except/:what', (c) => c.text(c.req.param('what')));
app.get('/pretty', (c) => c.json({ a: [1, 2] }));
app.get('/compressed', (c) => c.text('again and '.repeat(100)));
app.get('/jwt', (c) => c.json(c.get('jwtPayload')));
app.post('/csrf', (c) => c.text('passed'));
app.post('/limited', async (c) => c.text(`got ${await c.req.text()}`));
app.get('/late', () => new Promise(() => {}));
app.get('/language', (c) => c.text(c.get('language')));
app.delete('/overridden', async (c) => c.text(`deleted ${c.req.method}`));
app.post('/overridden', (c) => c.text('posted'));
app.get('/context', () => new Response(getContext().req.path));
app.get('/cookies', (c) => {
  setCookie(c, 'one', '1', { httpOnly: true });
  setCookie(c, 'two', 'zwei ü', { path: '/', maxAge: 5 });
  deleteCookie(c, 'gone');
  return c.json(getCookie(c));
});
app.get('/html', (c) => c.html(html`<p>${'<escaped>'}</p>`));
app.get('/stream', (c) =>
  stream(c, async (out) => {
    for (let i = 0; i < 5; i++) await out.write(new Uint8Array([0x30 + i]));
  }),
);
app.get('/text', (c) =>
  streamText(c, async (out) => {
    for (let i = 0; i < 3; i++) {
      await out.writeln(`line ${i}`);
      await out.sleep(1);
    }
  }),
);
app.get('/events', (c) =>
  streamSSE(c, async (out) => {
    for (let i = 0; i < 3; i++) await out.writeSSE({ id: String(i), event: 'tick', data: 'grün' });
  }),
);
app.post(
  '/validated',
  validator('json', (value, c) => {
    return typeof value.name === 'string' ? { name: value.name } : c.text('no name', 400);
  }),
  (c) => c.json(c.req.valid('json')),
);
app.post('/form', async (c) => {
  const { file, ...others } = await c.req.parseBody();
  return c.json({ ...others, file: file && [file.name, file.type, await file.text()] });
});
app.post('/twice', async (c) => c.json([await c.req.text(), await c.req.json()]));
app.post('/raw', async (c) => new Response((await new Request(c.req.raw).text()).toUpperCase()));
app.post('/clone', async (c) => c.text((await c.req.raw.clone().text()) + (await c.req.text())));
app.get('/query', (c) =>
  c.json([c.req.query(), c.req.queries('a'), c.req.header('x-a'), c.req.url]),
);
app.get('/redirect', (c) => c.redirect('/elsewhere', 301));
app.get('/empty', (c) => c.body(null, 204));
app.get('/not-modified', (c) => c.body(null, 304));
app.get('/thrown', () => {
  throw new Error('secret');
});
app.all('/method', (c) => c.text(c.req.method));
app.onError((error, c) => error.getResponse?.() ?? c.text('an error', 500));

const boundary = 'b0undary';
const part = (head, text) =>
  `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${text}\r\n`;
const multipart =
  part('name="a"', 'grün') +
  part('name="file"; filename="f.txt"\r\nContent-Type: text/x-a', 'file') +
  `--${boundary}--\r\n`;
const json = { 'content-type': 'application/json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const basic = { authorization: `Basic ${btoa('a:b')}` };
const bearer = { authorization: 'Bearer abc' };
const get = (path, headers = {}) => ({ path, headers });
const post = (path, body, headers = {}) => ({ method: 'POST', path, body, headers });

export const fetch = app.fetch;
// The request's id.
export const masks = [/[\da-f]{8}-[\da-f-]{27}/g];
export const requests = [
  ...['/secure', '/etag', '/pretty', '/pretty?pretty', '/compressed', '/timing'].map((p) => get(p)),
  get('/secure', { origin: 'http://other.test' }),
  { method: 'OPTIONS', path: '/secure', headers: { origin: 'http://other.test' } },
  get('/etag', { 'if-none-match': ETAG }),
  get('/compressed', { 'accept-encoding': 'gzip' }),
  ...[get('/basic'), get('/basic', basic), get('/bearer'), get('/bearer', bearer)],
  ...[get('/jwt'), get('/jwt', { authorization: `Bearer ${token}` })],
  ...[get('/local'), get('/foreign'), get('/combined'), get('/combined', bearer)],
  ...[get('/combined', basic), get('/except/public'), get('/except/private'), get('/late')],
  ...[get('/language?lang=de'), get('/language', { 'accept-language': 'de-AT,de;q=0.9' })],
  post('/csrf', 'a=1', { ...form, origin: 'http://app.test' }),
  post('/csrf', 'a=1', { ...form, origin: 'http://evil.test' }),
  ...[
    post('/limited', 'short'),
    post('/limited', 'much too long'),
    post('/limited', ['sh', 'ort']),
  ],
  post('/limited', ['much ', 'too ', 'long']),
  ...[post('/overridden', '_method=DELETE', form), post('/overridden', 'a=1', form)],
  ...[get('/context'), get('/context/'), get('/cookies', { cookie: 'a=b; c=d%20e' }), get('/html')],
  ...[get('/stream'), get('/text'), get('/events')],
  ...[post('/validated', '{"name":"n"}', json), post('/validated', '{}', json)],
  ...[post('/validated', '{', json), post('/form', 'a=1&b=%C3%BC', form)],
  post('/form', multipart, { 'content-type': `multipart/form-data; boundary=${boundary}` }),
  ...[post('/twice', '{"a":1}', json), post('/raw', 'body'), post('/clone', 'body')],
  post('/raw', ['in ', 'pieces']),
  ...[get('/query?a=1&a=2&b=%20', { 'x-a': 'v' }), get('/redirect'), get('/empty')],
  ...[get('/not-modified'), get('/thrown'), get('/nowhere'), { method: 'HEAD', path: '/html' }],
  ...['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'].map((method) => ({ method, path: '/method' })),
];
