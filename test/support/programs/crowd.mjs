// Opens many connections and keeps them until it is killed: then all of them leave at once.
// Usage: node crowd.mjs PORT COUNT
import { connect } from 'node:net';

const [port, count] = process.argv.slice(2).map(Number);
const AT_ONCE = 200;
const sockets = [];

const open = () =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', reject);
  });

while (sockets.length < count) {
  const fresh = Math.min(AT_ONCE, count - sockets.length);
  sockets.push(...(await Promise.all(Array.from({ length: fresh }, open))));
}
console.log('open');
