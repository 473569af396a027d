// Something that is no handler throws while the events of a turn are walked: there is no memory to
// keep a chunk in. Others' events come in the same turn. Prints how many of them were heard.
import { createServer } from 'node:net';
import { connect } from 'ringpoll';

const OTHERS = 20;
const refusal = new RangeError('no memory');
const lines = [];
process.on('uncaughtException', (error) => lines.push(`uncaught ${error === refusal}`));

const peers = [];
const server = createServer((socket) => {
  socket.on('error', () => {});
  peers.push(socket);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const dial = (handlers) => connect({ host: '127.0.0.1', port: server.address().port, ...handlers });

let outcomes = 0;
let heard = 0;
let done;
const all = new Promise((resolve) => {
  done = resolve;
});
const count = (line) => {
  if (line !== undefined) lines.push(line);
  outcomes += 1;
  if (outcomes === OTHERS + 2) done();
};

const close = (_, error) => count(`closed ${error === refusal}`);
const iterator = (await dial({ close }))[Symbol.asyncIterator]();
iterator.next().catch((error) => count(`iterator ${error === refusal}`));
for (let other = 0; other < OTHERS; other += 1) {
  await dial({
    data(_, chunk) {
      heard += chunk.length;
      count();
    },
  });
}
while (peers.length <= OTHERS) await new Promise(setImmediate);
// All of it is in the sockets before the loop looks at any.
for (const peer of peers) peer.write('x');
const { from } = Buffer;
Buffer.from = () => {
  Buffer.from = from;
  throw refusal;
};
const timer = setTimeout(done, 3000);
await all;
clearTimeout(timer);
console.log(`heard ${heard}\n${lines.sort().join('\n')}`);
process.exit(0);
