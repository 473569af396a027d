import { ORPCError, os } from '@orpc/server';
import { RPCHandler } from '@orpc/server/fetch';
import { CORSPlugin } from '@orpc/server/plugins';
import { z } from 'zod';

const router = {
  hello: os.input(z.string().optional()).handler(({ input }) => `hello ${input ?? 'you'}`),
  add: os
    .input(z.object({ a: z.number(), b: z.number() }))
    .handler(({ input }) => input.a + input.b),
  date: os.handler(() => new Date(0)),
  file: os.input(z.instanceof(Blob)).handler(async ({ input }) => input.text()),
  refused: os.handler(() => {
    throw new ORPCError('FORBIDDEN', { message: 'refused' });
  }),
  thrown: os.handler(() => {
    throw new Error('secret');
  }),
  count: os.handler(async function* () {
    for (let i = 1; i <= 3; i++) yield { i };
  }),
  nested: { header: os.handler(({ context }) => context.header) },
};
const handler = new RPCHandler(router, { plugins: [new CORSPlugin()] });

const json = { 'content-type': 'application/json' };
const post = (path, value, headers = json) => ({
  ...{ method: 'POST', path: `/rpc/${path}`, headers },
  body: typeof value === 'string' ? value : JSON.stringify({ json: value }),
});
const multipart = [
  '--x\r\nContent-Disposition: form-data; name="data"\r\n\r\n{"json":null,"maps":[[]]}\r\n',
  '--x\r\nContent-Disposition: form-data; name="0"; filename="f.txt"\r\n',
  'Content-Type: text/plain\r\n\r\nfile\r\n--x--\r\n',
].join('');

export async function fetch(request) {
  const context = { header: request.headers.get('x-a') };
  const { matched, response } = await handler.handle(request, { prefix: '/rpc', context });
  return matched ? response : new Response('no such procedure', { status: 404 });
}
export const requests = [
  post('hello', 'ü'.length),
  post('hello', { json: 1 }),
  { method: 'POST', path: '/rpc/hello', headers: json, body: '{"json":"grün"}' },
  { method: 'POST', path: '/rpc/hello' },
  post('add', { a: 1, b: 2 }),
  post('add', { a: 1 }),
  post('add', '{'),
  post('date', null),
  post('file', multipart, { 'content-type': 'multipart/form-data; boundary=x' }),
  post('refused', null),
  post('thrown', null),
  post('count', null),
  post('nested/header', null, { ...json, 'x-a': 'seen' }),
  post('nothing', null),
  { path: `/rpc/hello?data=${encodeURIComponent('{"json":"get"}')}` },
  { method: 'OPTIONS', path: '/rpc/hello', headers: { origin: 'http://other.test' } },
  { path: '/elsewhere' },
];
