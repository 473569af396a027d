import { initTRPC, TRPCError } from '@trpc/server';
import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { z } from 'zod';

const t = initTRPC.context().create({ isDev: false });
const router = t.router({
  hello: t.procedure.input(z.string().optional()).query(({ input }) => `hello ${input ?? 'you'}`),
  header: t.procedure.query(({ ctx }) => ctx.header),
  add: t.procedure
    .input(z.object({ a: z.number(), b: z.number() }))
    .mutation(({ input }) => input.a + input.b),
  upload: t.procedure
    .input(z.instanceof(FormData))
    .mutation(({ input }) => Object.fromEntries(input)),
  refused: t.procedure.query(() => {
    throw new TRPCError({ code: 'FORBIDDEN', message: 'refused' });
  }),
  count: t.procedure.subscription(async function* () {
    for (let i = 1; i <= 3; i++) yield i;
  }),
  streamed: t.procedure.query(async function* () {
    yield 'a';
    yield 'b';
  }),
});

const json = { 'content-type': 'application/json' };
const input = (value) => encodeURIComponent(JSON.stringify(value));
const post = (path, body, headers = json) => ({
  method: 'POST',
  path: `/trpc/${path}`,
  body,
  headers,
});

export const fetch = (req) =>
  fetchRequestHandler({
    endpoint: '/trpc',
    req,
    router,
    createContext: ({ req }) => ({ header: req.headers.get('x-a') }),
  });
export const requests = [
  { path: '/trpc/hello' },
  { path: `/trpc/hello?input=${input('grün')}` },
  { path: `/trpc/hello?input=${input(1)}` },
  { path: '/trpc/header', headers: { 'x-a': 'seen' } },
  { path: `/trpc/hello,header?batch=1&input=${input({ 0: 'a' })}` },
  { path: '/trpc/refused' },
  { path: '/trpc/nothing' },
  { path: '/trpc/count', headers: { accept: 'text/event-stream' } },
  {
    path: `/trpc/streamed,hello?batch=1&input=${input({})}`,
    headers: { 'trpc-accept': 'application/jsonl' },
  },
  { path: '/trpc/add' },
  { method: 'HEAD', path: '/trpc/hello' },
  post('add', '{"a":1,"b":2}'),
  post('add', '{"a":1}'),
  post('add', '{'),
  post('add?batch=1', '{"0":{"a":1,"b":2}}'),
  post('upload', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n', {
    'content-type': 'multipart/form-data; boundary=x',
  }),
];
// Where the error arose.
export const masks = [/"stack":"[^"]*"/g];
