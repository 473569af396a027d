// UDP echo on ringpoll: `node bench/servers/udp-echo.mjs PORT`. RINGPOLL_ENGINE chooses how it is
// served; the ready line names the engine that runs, which a fallback may have changed.
import { Loop } from 'ringpoll';
import { bind } from 'ringpoll/udp';
import { endOnSignal } from '../lib/ending.mjs';

const socket = bind({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 0),
  receiveBuffer: 4 << 20,
  data(self, packets) {
    for (const packet of packets) self.send(packet, packet);
  },
  error(_self, error) {
    // A load generator that stops refuses what is still on its way.
    if (error.code !== 'ECONNREFUSED') console.error(error);
  },
});
console.log(`ready ${socket.port} engine=${Loop.current().engine}`);
endOnSignal(() => socket.close());
