// Handlers run in the asynchronous context of listen(), and in none when there was none.
import { AsyncLocalStorage } from 'node:async_hooks';
import { connect, listen } from 'ringpoll';

const storage = new AsyncLocalStorage();
const seen = [];
const serve = (name) =>
  listen({
    host: '127.0.0.1',
    port: 0,
    data(connection) {
      seen.push(`${name} ${storage.getStore()}`);
      storage.enterWith('left over');
      connection.end();
    },
  });

async function ask({ port }) {
  const client = await connect({ host: '127.0.0.1', port });
  client.write('x');
  for await (const _ of client);
}

const outside = serve('outside');
const inside = storage.run('stored', () => serve('inside'));
await ask(outside);
await ask(inside);
await ask(inside);
console.log(seen.join(', '));
await Promise.all([outside, inside].map((listener) => listener.stop({ timeout: 1000 })));
