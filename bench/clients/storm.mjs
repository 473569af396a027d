// node storm.mjs PORT SEED PHASES: requests at random times, at the rate of each phase of the JSON
// [{ seconds, rate }, ...], whether or not earlier ones were answered. A line `second N` as each
// second begins; at the end one line of JSON with all requests: [when it was due, in seconds; what
// it took from then on, in ms; whether it was answered with 200].
import { Agent, request } from 'node:http';

const GIVE_UP_MS = 5000;
const STEP_MS = 2;

const [port, seed, phases] = process.argv.slice(2);
let state = Number(seed) >>> 0;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const due = [];
let endS = 0;
for (const { seconds, rate } of JSON.parse(phases)) {
  for (let at = endS - Math.log(1 - random()) / rate; at < endS + seconds; ) {
    due.push(at);
    at -= Math.log(1 - random()) / rate;
  }
  endS += seconds;
}

const agent = new Agent({ keepAlive: true, maxSockets: 4096 });
const done = [];
const startMs = performance.now();
const nowS = () => (performance.now() - startMs) / 1000;

function ask(at) {
  const over = (good) => {
    if (ended) return;
    ended = true;
    done.push([Number(at.toFixed(3)), Number((1000 * (nowS() - at)).toFixed(2)), good ? 1 : 0]);
  };
  let ended = false;
  const asked = request({ host: '127.0.0.1', port, agent, timeout: GIVE_UP_MS }, (response) => {
    response.on('error', () => over(false));
    response.on('end', () => over(response.statusCode === 200));
    response.resume();
  });
  asked.on('timeout', () => asked.destroy());
  asked.on('error', () => over(false));
  asked.end();
}

let next = 0;
let second = -1;
const timer = setInterval(() => {
  const now = nowS();
  while (next < due.length && due[next] <= now) ask(due[next++]);
  if (Math.floor(now) > second) console.log(`second ${++second}`);
  if (next < due.length || done.length < due.length) return;
  clearInterval(timer);
  agent.destroy();
  console.log(JSON.stringify(done));
}, STEP_MS);
