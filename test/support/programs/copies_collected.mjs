// Runs with --expose-gc. Copies of the package join the loop and are forgotten, while a listener is
// open and after it has closed. Prints how many of them were collected by then.
import { Loop, listen } from 'ringpoll';

const COPIES = 50;
let collected = 0;
const registry = new FinalizationRegistry(() => {
  collected += 1;
});

Loop.current();
const { addon } = globalThis[Symbol.for('ringpoll.addon')];
const listener = listen({ host: '127.0.0.1', port: 0, data() {} });
for (let count = 0; count < COPIES; count += 1) join();

function join() {
  const resource = {};
  const walk = () => resource;
  registry.register(walk);
  addon.start(0, 0, false, 4096, walk, resource);
}

async function collect() {
  for (let round = 0; round < 20 && collected < COPIES; round += 1) {
    await new Promise(setImmediate);
    globalThis.gc();
  }
  return collected;
}

console.log(`while open ${await collect()}`);
await listener.stop();
console.log(`when closed ${await collect()}`);
