// TCP echo on node:net: data and write, with pause and drain, and no delay. `echo-node.mjs PORT`
import { createServer } from 'node:net';

const server = createServer({ noDelay: true, highWaterMark: 64 * 1024 }, (socket) => {
  socket.on('data', (bytes) => {
    if (!socket.write(bytes)) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('error', () => socket.destroy());
});
server.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0), backlog: 4096 }, () => {
  console.log(`ready ${server.address().port}`);
});
process.on('SIGTERM', () => process.exit(0));
