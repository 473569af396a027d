// node storm-target.mjs PORT SEED: a target of the storm. It does eight requests at a time, and
// each takes 5 ms and a random time of 5 ms on average. Lines on standard input change it: `times
// 20` for how many times as long it takes, `fails 1` for the share that it answers with 500.
import { createInterface } from 'node:readline';
import { serve } from 'ringpoll/http';

const AT_A_TIME = 8;
const FIXED_MS = 5;
const RANDOM_MS = 5;

const [port = '0', seed = '1'] = process.argv.slice(2);
let state = Number(seed) >>> 0;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const settings = { times: 1, fails: 0 };
const waiting = [];
let busy = 0;

function next() {
  while (busy < AT_A_TIME && waiting.length > 0) {
    const answer = waiting.shift();
    busy++;
    const ms = settings.times * (FIXED_MS - RANDOM_MS * Math.log(1 - random()));
    setTimeout(() => {
      busy--;
      answer();
      next();
    }, ms);
  }
}

const server = serve({
  host: '127.0.0.1',
  port: Number(port),
  handler: async (_, response) => {
    await new Promise((resolve) => {
      waiting.push(resolve);
      next();
    });
    if (response.ended) return;
    response.status(random() < settings.fails ? 500 : 200).end('done\n');
  },
});
console.log(`ready ${server.port}`);

createInterface({ input: process.stdin }).on('line', (line) => {
  const [name, value] = line.split(' ');
  settings[name] = Number(value);
});
process.once('SIGTERM', () => process.exit(0));
