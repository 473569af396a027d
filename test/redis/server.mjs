// One of several servers that share topics: node server.mjs SOCKET CHANNEL. Every WebSocket is
// subscribed to the topic that its query names. A message with a letter in front says what to do:
// p publishes the rest, s has the server publish it, b the same as bytes, e answers it.
import { createClient } from '@redis/client';
import { serve } from 'ringpoll/http';
import { redisTopics } from 'ringpoll/websocket';

const [path, channel] = process.argv.slice(2);
const failures = { redis: 0, topics: 0 };
const client = createClient({ socket: { path, reconnectStrategy: () => 50 } });
client.on('error', () => failures.redis++);
await client.connect();

const server = serve({
  host: '127.0.0.1',
  port: 0,
  handler: () => String(failures.topics),
  websocket: {
    topics: redisTopics(client, { channel, error: () => failures.topics++ }),
    perMessageDeflate: true,
    upgrade: ({ query }) => ({ data: query }),
    open: (socket) => socket.subscribe(socket.data),
    message(socket, message) {
      const text = message.slice(1);
      if (message[0] === 'p') socket.publish(socket.data, text);
      if (message[0] === 's') server.publish(socket.data, text);
      if (message[0] === 'b') server.publish(socket.data, Buffer.from(text, 'hex'));
      if (message[0] === 'e') socket.send(text);
    },
  },
});
console.log(`ready ${server.port}`);

process.once('SIGTERM', async () => {
  await server.stop({ timeout: 1000 });
  client.destroy();
});
