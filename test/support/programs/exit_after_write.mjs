// Writes, and ends the environment before the loop has turned. Arguments: how it ends, and how many
// bytes it writes. Prints `ready PORT`; what a peer sends begins it.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Loop, listen } from 'ringpoll';
import { serve } from 'ringpoll/http';

const [how, size] = isMainThread ? process.argv.slice(2) : workerData;
const bytes = 'x'.repeat(Number(size));
const host = '127.0.0.1';
const exit = () => process.exit(0);
const failure = new Error('uncaught on purpose');

const ways = {
  handler(connection) {
    connection.write(bytes);
    exit();
  },
  end(connection) {
    connection.end(bytes);
    exit();
  },
  pieces(connection) {
    for (const byte of bytes) connection.write(byte);
    exit();
  },
  microtask(connection) {
    queueMicrotask(() => ways.handler(connection));
  },
  timer(connection) {
    setTimeout(() => ways.handler(connection), 1);
  },
  immediate(connection) {
    setImmediate(() => ways.handler(connection));
  },
  exitEvent(connection) {
    process.on('exit', () => connection.write(bytes));
    exit();
  },
  signal(connection) {
    process.on('SIGTERM', () => ways.handler(connection));
    process.kill(process.pid, 'SIGTERM');
  },
  throws(connection) {
    setImmediate(() => {
      connection.write(bytes);
      throw failure;
    });
  },
  rejects(connection) {
    setImmediate(async () => {
      connection.write(bytes);
      throw failure;
    });
  },
  itself(connection) {
    process.on('exit', () => connection.write(bytes));
    Loop.current().unref();
  },
};

function answer(_, response) {
  response.header('Content-Type', 'text/plain').end(bytes);
  exit();
}

function start() {
  if (how === 'http') return serve({ host, port: 0, handler: answer }).port;
  return listen({ host, port: 0, data: (connection) => void ways[how](connection) }).port;
}

if (how.startsWith('worker:') && isMainThread) {
  const worker = new Worker(new URL(import.meta.url), {
    workerData: [how.slice('worker:'.length), size],
  });
  worker.on('message', (port) => console.log(`ready ${port}`));
  worker.on('error', (error) => console.log(error.message));
} else {
  const port = start();
  if (isMainThread) console.log(`ready ${port}`);
  else parentPort.postMessage(port);
}
