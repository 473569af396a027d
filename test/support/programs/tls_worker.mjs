// A worker that listens with the key and certificate in workerData until it is terminated.
import { parentPort, workerData } from 'node:worker_threads';
import { listen } from 'ringpoll';

const listener = listen({ host: '127.0.0.1', port: 0, tls: workerData, data() {} });
parentPort.postMessage(listener.port);
