// A workload for `ringpoll shadow`: an echo server and its client. SHADOW_ODD names the engine on
// which it answers otherwise, SHADOW_FAILS one on which it throws.
import { connect, listen } from 'ringpoll';

export default async function workload({ saw }) {
  // What was asked for: it may have been replaced.
  const { RINGPOLL_ENGINE: engine } = process.env;
  const odd = process.env.SHADOW_ODD === engine;
  if (process.env.SHADOW_FAILS === engine) throw new Error('as asked');
  const server = listen({
    host: '127.0.0.1',
    port: 0,
    data: (connection, chunk) => void connection.write(odd ? 'odd' : chunk),
  });
  const client = await connect({ host: '127.0.0.1', port: server.port });
  client.write('hello '.repeat(1000));
  client.end();
  let bytes = 0;
  for await (const chunk of client) {
    saw(chunk.bytes, 'client');
    bytes += chunk.length;
  }
  await server.stop();
  return { bytes };
}
