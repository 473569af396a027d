// TCP echo on ringpoll/net: the same program as bench/peers/echo-node.mjs. `net-echo.mjs PORT`
import { Loop } from 'ringpoll';
import { active, createServer } from 'ringpoll/net';

if (!active) throw new Error('ringpoll/net is not active');
const server = createServer({ noDelay: true, highWaterMark: 64 * 1024 }, (socket) => {
  socket.on('data', (bytes) => {
    if (!socket.write(bytes)) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('error', () => socket.destroy());
});
server.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0), backlog: 4096 }, () => {
  console.log(`ready ${server.address().port} engine=${Loop.current().engine}`);
});
process.on('SIGTERM', () => process.exit(0));
