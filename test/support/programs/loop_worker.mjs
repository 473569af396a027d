// A worker with a loop of its own. workerData.task says what it does:
//   echo   echoes to itself, so many round trips, then ends by itself
//   serve  listens, tells its port, and serves until it is told to stop
//   busy   is in the middle of sending and receiving until it is terminated
//   exit   like busy, but ends itself by process.exit() inside a handler
import { parentPort, workerData } from 'node:worker_threads';
import { connect, Loop, listen } from 'ringpoll';

const { task, roundTrips = 100 } = workerData;
const host = '127.0.0.1';

function echoServer() {
  return listen({
    host,
    port: 0,
    data: (connection, chunk) => {
      connection.write(chunk);
    },
    error() {},
  });
}

async function echo() {
  const listener = echoServer();
  let left = roundTrips;
  await new Promise((resolve, reject) => {
    connect({
      host,
      port: listener.port,
      open: (connection) => connection.write('x'),
      data(connection) {
        left -= 1;
        if (left > 0) connection.write('x');
        else connection.end();
      },
      close: (_, error) => (error ? reject(error) : resolve()),
    }).catch(reject);
  });
  await listener.stop();
  parentPort.postMessage({ engine: Loop.current().engine, left });
}

function serve() {
  const listener = echoServer();
  parentPort.postMessage({ port: listener.port });
  parentPort.once('message', async () => {
    await listener.stop({ timeout: 1000 });
    parentPort.postMessage('stopped');
  });
}

async function busy(received) {
  const listener = echoServer();
  const block = Buffer.alloc(200_000, 'x');
  const kept = [];
  for (let count = 0; count < 5; count += 1) {
    connect({
      host,
      port: listener.port,
      open: (connection) => connection.write(block),
      data(connection, chunk) {
        if (kept.length < 50) kept.push(chunk.retain());
        received(chunk.length);
        connection.write(block);
      },
      error() {},
    });
  }
}

let bytes = 0;
if (task === 'echo') await echo();
else if (task === 'serve') serve();
else if (task === 'busy') {
  await busy((length) => {
    if (bytes < 500_000 && bytes + length >= 500_000) parentPort.postMessage('busy');
    bytes += length;
  });
} else {
  await busy((length) => {
    bytes += length;
    if (bytes >= 500_000) process.exit(7);
  });
}
