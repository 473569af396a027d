// A Hono app on the fetch face (npm install hono): node examples/http/hono.mjs [PORT]
import { Hono } from 'hono';
import { logger } from 'hono/logger';
import { streamText } from 'hono/streaming';
import { serve } from 'ringpoll/http';

const app = new Hono();
app.use(logger());
app.get('/', (context) => context.text('Hello from Hono\n'));
app.get('/users/:id', (context) => context.json({ id: context.req.param('id') }));
app.post('/sum', async (context) => {
  const numbers = await context.req.json();
  return context.json({ sum: numbers.reduce((sum, number) => sum + number, 0) });
});
app.get('/count', (context) =>
  streamText(context, async (stream) => {
    for (let number = 1; number <= 3; number += 1) await stream.writeln(`${number}`);
  }),
);

const server = serve({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 8080),
  fetch: (request) => app.fetch(request),
});
console.log(`http://127.0.0.1:${server.port}/`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ timeout: 5000 }));
}
