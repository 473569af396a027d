// A worker with a server of WebSockets. All that connect are subscribed to one topic. When
// workerData.subscribers are there it says so, and publishes until it is terminated.
import { parentPort, workerData } from 'node:worker_threads';
import { serve } from 'ringpoll/http';

const MESSAGE = 'x'.repeat(500);

const server = serve({
  host: '127.0.0.1',
  port: 0,
  backlog: 4096,
  handler: () => 'WebSocket only\n',
  websocket: {
    overload: 'drop',
    open(socket) {
      socket.subscribe('all');
      if (server.subscriberCount('all') < workerData.subscribers) return;
      parentPort.postMessage({ publishes: server.publish('all', MESSAGE) });
      setInterval(() => server.publish('all', MESSAGE), 1);
    },
    error() {},
  },
});
parentPort.postMessage({ port: server.port });
