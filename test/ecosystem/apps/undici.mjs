// The Response of undici's package, which is not the platform's.
import { FormData, Headers, Response } from 'undici';

const streamed = (...pieces) =>
  new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });

const answers = {
  '/text': () => new Response('grün', { status: 201, headers: { 'x-a': '1' } }),
  '/json': () => Response.json({ a: 1 }),
  '/null': () => new Response(null, { status: 204 }),
  '/bytes': () => new Response(new Uint8Array([97, 98])),
  '/stream': () => new Response(streamed('a', 'b', 'c')),
  '/redirect': () => Response.redirect('http://other.test/x', 302),
  '/cookies': () => {
    const headers = new Headers();
    headers.append('set-cookie', 'a=1; Path=/');
    headers.append('set-cookie', 'b=2');
    return new Response('cookies', { headers });
  },
  '/parameters': () => new Response(new URLSearchParams({ a: 'ü' })),
  '/form': async () => {
    const form = new FormData();
    form.set('a', '1');
    return new Response(await new Response(form).text());
  },
  '/echo': async (request) => new Response(await request.text(), { headers: request.headers }),
};

export const fetch = async (request) => {
  const { pathname } = new URL(request.url);
  return answers[pathname]?.(request) ?? new Response('nothing', { status: 404 });
};
// The boundary of a form.
export const masks = [/-+formdata-undici-\d+/g];
export const requests = [
  ...Object.keys(answers).map((path) => ({ path })),
  { path: '/nowhere' },
  { method: 'POST', path: '/echo', body: 'echo', headers: { 'x-a': 'seen' } },
  { method: 'HEAD', path: '/json' },
];
