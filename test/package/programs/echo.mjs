// A ten-line server, and a client that talks to it once.
import { connect, listen } from 'ringpoll';

const listener = listen({
  host: '127.0.0.1',
  port: 0,
  data: (connection, chunk) => connection.write(chunk),
});
const client = await connect({ host: '127.0.0.1', port: listener.port });
client.write('hello');
for await (const chunk of client) {
  console.log(chunk.toString());
  break;
}
await listener.stop({ timeout: 1000 });
