// UDP echo on node:dgram. `udp-node.mjs PORT`
import { createSocket } from 'node:dgram';

const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
socket.on('message', (message, { port, address }) => socket.send(message, port, address));
socket.on('error', (error) => console.error(error));
socket.bind(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log(`ready ${socket.address().port}`);
});
process.on('SIGTERM', () => process.exit(0));
