// A worker with a datagram socket that echoes, and keeps some of what it gets, until it is
// terminated.
import { parentPort } from 'node:worker_threads';
import { bind } from 'ringpoll/udp';

const kept = [];
const socket = bind({
  host: '127.0.0.1',
  data(self, packets) {
    for (const packet of packets) {
      self.send(packet, packet);
      self.send(Buffer.alloc(60_000), packet);
      if (kept.length < 20) kept.push(packet.retain());
    }
  },
});
parentPort.postMessage(socket.port);
