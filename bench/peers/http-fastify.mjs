// Fastify without a logger, with a synchronous handler. `http-fastify.mjs PORT`
import fastify from 'fastify';

const app = fastify({ logger: false });
app.get('/', (_request, reply) => {
  reply.type('text/plain').send('Hello, World!');
});
const port = Number(process.argv[2] ?? 0);
await app.listen({ host: '127.0.0.1', port, backlog: 4096 });
console.log(`ready ${app.server.address().port}`);
process.on('SIGTERM', () => process.exit(0));
