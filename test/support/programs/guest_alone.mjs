// A server that nothing of libuv's keeps awake: what a message starts there has to begin by itself.
//   order    answers how many immediates of earlier messages have not run, and starts two more
//   unref    answers from an unreferenced immediate
//   connect PORT   connects to that port, and answers when it is connected
import { connect } from 'node:net';
import { listen } from 'ringpoll';

let waiting = 0;
function startImmediate() {
  waiting += 1;
  return setImmediate(() => {
    waiting -= 1;
  });
}

const listener = listen({
  host: '127.0.0.1',
  port: 0,
  data(connection, chunk) {
    const [command, argument] = chunk.toString().split(' ');
    if (command === 'order') {
      connection.write(String(waiting));
      startImmediate();
      startImmediate().unref();
    }
    if (command === 'unref') setImmediate(() => connection.write('x')).unref();
    if (command === 'connect') connect(Number(argument), '127.0.0.1', () => connection.write('x'));
  },
});
console.log(`ready ${listener.port}`);
