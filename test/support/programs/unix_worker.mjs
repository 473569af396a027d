// A worker that listens on the path in workerData until it is terminated.
import { parentPort, workerData } from 'node:worker_threads';
import { listen } from 'ringpoll';

listen({ path: workerData, data() {} });
parentPort.postMessage('ready');
