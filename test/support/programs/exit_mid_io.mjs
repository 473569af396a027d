// Exits in the middle of sending and receiving. Argument: from where.
import { connect, listen } from 'ringpoll';

const from = process.argv[2];
const host = '127.0.0.1';
const block = Buffer.alloc(300_000, 'x');
const exit = () => process.exit(7);
let bytes = 0;

const listener = listen({
  host,
  port: 0,
  data(connection, chunk) {
    connection.write(chunk);
  },
  error() {},
});
for (let count = 0; count < 10; count += 1) {
  connect({
    host,
    port: listener.port,
    open: (connection) => connection.write(block),
    data(connection, chunk) {
      bytes += chunk.length;
      chunk.retain();
      connection.write(block);
      if (bytes < 2_000_000) return;
      if (from === 'handler') exit();
      if (from === 'microtask') queueMicrotask(exit);
      if (from === 'tick') process.nextTick(exit);
      if (from === 'immediate') setImmediate(exit);
      if (from === 'timer') setTimeout(exit, 1);
      if (from === 'signal') process.kill(process.pid, 'SIGTERM');
    },
    error() {},
  });
}
