// The handler that frameworks on top of React Router use on the server.
import { createStaticHandler, data, isRouteErrorResponse, redirect } from 'react-router';

const handler = createStaticHandler([
  {
    id: 'root',
    path: '/',
    loader: ({ request }) => ({ url: request.url, aborted: request.signal.aborted }),
    children: [
      {
        id: 'user',
        path: 'users/:id',
        loader: ({ params, request }) => ({ params, header: request.headers.get('x-a') }),
        async action({ request }) {
          const form = await request.formData();
          return data(Object.fromEntries(form), { status: 201 });
        },
      },
      { id: 'moved', path: 'moved', loader: () => redirect('/users/1') },
      {
        id: 'thrown',
        path: 'thrown',
        loader: () => {
          throw data('not here', { status: 404 });
        },
      },
      { id: 'text', path: 'text', action: async ({ request }) => (await request.text()).length },
    ],
  },
]);

/** As a document is asked for: all loaders. */
async function document(request) {
  const context = await handler.query(request);
  if (context instanceof Response) return context;
  const { loaderData, actionData, errors, statusCode } = context;
  const shown = Object.entries(errors ?? {}).map(([id, error]) => [
    id,
    isRouteErrorResponse(error) ? [error.status, error.data] : String(error),
  ]);
  return Response.json({ loaderData, actionData, shown }, { status: statusCode });
}

export async function fetch(request) {
  const { searchParams } = new URL(request.url);
  if (!searchParams.has('route')) return document(request);
  try {
    const routeId = searchParams.get('route');
    const result = await handler.queryRoute(request, { routeId });
    return result instanceof Response ? result : Response.json(result);
  } catch (error) {
    if (error instanceof Response) return error;
    return Response.json(String(error.data ?? error), { status: error.status ?? 500 });
  }
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const post = (path, body, headers = form) => ({ method: 'POST', path, body, headers });

export const requests = [
  { path: '/' },
  { path: '/users/1?a=b', headers: { 'x-a': 'seen' } },
  { path: '/users/1?route=user', headers: { 'x-a': 'seen' } },
  { path: '/users/1?route=none' },
  { path: '/moved' },
  { path: '/thrown' },
  { path: '/nowhere' },
  post('/users/2', 'a=1&b=%C3%BC'),
  post('/users/2?route=user', 'a=1'),
  post('/text', ['in ', 'pieces'], { 'content-type': 'text/plain' }),
  post('/', 'a=1'),
  { method: 'HEAD', path: '/' },
  { method: 'OPTIONS', path: '/' },
];
