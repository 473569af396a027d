// Asynchronous resources of ours that are alive after everything was stopped, as tools see them
// that report what is left open. With `stores` an AsyncLocalStorage is in use. Prints their types.
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { connect, listen } from 'ringpoll';
import { serve } from 'ringpoll/http';

const alive = new Map();
createHook({
  init(id, type) {
    if (type.includes('RINGPOLL')) alive.set(id, type);
  },
  destroy(id) {
    alive.delete(id);
  },
}).enable();

const host = '127.0.0.1';
const store = new AsyncLocalStorage();

async function tcp() {
  const listener = listen({ host, port: 0, data: (peer, chunk) => void peer.write(chunk) });
  const { port } = listener;
  const connection = await connect({ host: 'localhost', port });
  connection.end('hello');
  for await (const _ of connection);
  try {
    listen({ host, port, data() {} });
  } catch {
    // In use.
  }
  await listener.stop();
  await connect({ host, port }).catch(() => {});
}

async function http() {
  const server = serve({
    ...{ host, port: 0, error() {}, upgrade: true },
    handler(request, response) {
      if (request.header('upgrade') === undefined) return void response.end('plain');
      response.upgrade({ Upgrade: 'echo' }, { data: (peer, chunk) => void peer.end(chunk) });
    },
  });
  await exchange(server, 'Connection: close\r\n\r\n', 'plain');
  await exchange(server, 'Connection: Upgrade\r\nUpgrade: echo\r\n\r\nraw', 'raw');
  await server.stop();
}

async function exchange({ port }, rest, expected) {
  const connection = await connect({ host, port });
  connection.write(`GET / HTTP/1.1\r\nHost: a\r\n${rest}`);
  let text = '';
  for await (const chunk of connection) text += chunk;
  if (!text.endsWith(expected)) throw new Error(text);
}

async function main() {
  await tcp();
  await http();
}

if (process.argv[2] === 'stores') await store.run({ mine: true }, main);
else await main();
await new Promise(setImmediate);
await new Promise(setImmediate);
console.log(JSON.stringify([...alive.values()]));
