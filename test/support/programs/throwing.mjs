// Throws in a handler. Arguments: the handler's name; how (throw or reject); and what the program
// does about it: `handled` listens for uncaughtException, `plain` does not.
import { connect, listen } from 'ringpoll';

const [event, how, what] = process.argv.slice(2);
const failure = new Error(`thrown by ${event}`);
const lines = [];

if (what === 'handled') {
  process.on('uncaughtException', (error, origin) => {
    lines.push(`uncaught ${error === failure} ${origin}`);
  });
}

const fail = () => {
  if (how === 'reject') return Promise.reject(failure);
  throw failure;
};
const listener = listen({
  host: '127.0.0.1',
  port: 0,
  data() {},
  ...(event === 'close' ? {} : { close: (_, error) => lines.push(`close ${error === failure}`) }),
  [event]: fail,
});
const client = { data() {}, error() {} };
const closed = new Promise((resolve) => {
  client.close = resolve;
});
const connection = await connect({ host: '127.0.0.1', port: listener.port, ...client });
if (event === 'error') connection.reset();
else connection.end('x');
await closed;
await listener.stop();
console.log(lines.join('\n'));
console.log('end');
