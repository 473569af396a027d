// A watchdog in a worker: it has no stacks to offer there.
import { isMainThread, Worker } from 'node:worker_threads';
import { Watchdog } from 'ringpoll';

if (isMainThread) {
  new Worker(new URL(import.meta.url));
} else {
  try {
    new Watchdog({ stack: true, overrun() {} });
  } catch ({ code }) {
    console.log(code);
  }
}
