// Counts what comes as `name:1|c`, as StatsD does, and prints the sums every second:
// `node examples/udp/statsd.mjs [PORT]`. Try it with `echo -n 'visits:1|c' | nc -u 127.0.0.1 PORT`.
import { bind } from 'ringpoll/udp';

const NAMES_MAX = 10_000;
const sums = new Map();
let malformed = 0;

function count(line) {
  const [, name, value] = /^([\w.-]{1,200}):(\d{1,9})\|c$/.exec(line) ?? [];
  // Anybody can send anything here: names are bounded like all else.
  if (name === undefined || (sums.size >= NAMES_MAX && !sums.has(name))) malformed += 1;
  else sums.set(name, (sums.get(name) ?? 0) + Number(value));
}

const socket = bind({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 8125),
  receiveBuffer: 4 << 20,
  data(_self, packets) {
    for (const packet of packets) {
      for (const line of packet.toString('latin1').split('\n')) count(line);
    }
  },
});
console.log(`udp://127.0.0.1:${socket.port}/`);

const timer = setInterval(() => {
  if (sums.size === 0 && malformed === 0) return;
  const { missed } = socket.stats;
  console.log(JSON.stringify({ ...Object.fromEntries(sums), malformed, missed }));
  sums.clear();
  malformed = 0;
}, 1000);

function stop() {
  clearInterval(timer);
  socket.close();
}
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
