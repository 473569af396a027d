// A Fastify app, unchanged (npm install fastify):
//   node --import ringpoll/register examples/faces/fastify.mjs [PORT]
// Without --import it runs on node:http.
import Fastify from 'fastify';

const app = Fastify();
app.get('/', async () => 'Hello from Fastify\n');
app.get('/users/:id', async ({ params }) => ({ id: params.id }));
app.post('/sum', async ({ body }) => ({ sum: body.reduce((sum, number) => sum + number, 0) }));

console.log(await app.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 8080) }));

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close());
