// A UDP echo server: `node examples/udp/echo.mjs [PORT]`. Try it with `nc -u 127.0.0.1 PORT`.
import { bind } from 'ringpoll/udp';

const socket = bind({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 9000),
  data(self, packets) {
    // A packet as the destination stands for its sender. Nothing is copied.
    for (const packet of packets) self.send(packet, packet);
  },
  error(_self, error) {
    console.error(error.message);
  },
});
console.log(`udp://127.0.0.1:${socket.port}/`);

process.once('SIGINT', () => socket.close());
process.once('SIGTERM', () => socket.close());
