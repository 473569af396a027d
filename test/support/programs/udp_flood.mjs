// A worker that sends datagrams to workerData.port as fast as it can, until it is terminated.
import { createSocket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';

const socket = createSocket('udp4');
const message = Buffer.alloc(512, 'flood');
const UNDER_WAY = 64;

function flood() {
  socket.send(message, workerData.port, '127.0.0.1', flood);
}

socket.bind(0, '127.0.0.1', () => {
  for (let i = 0; i < UNDER_WAY; i++) flood();
  parentPort.postMessage('flooding');
});
