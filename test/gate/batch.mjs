// Prints how many calls into JavaScript a turn takes in which 64 connections have something to say.
// The clients are node:net's, in this very process: they all write before the loop waits again.
import { once } from 'node:events';
import net from 'node:net';
import { Loop, listen } from 'ringpoll';

const CONNECTIONS = 64;
const ROUNDS = 50;

const listener = listen({
  host: '127.0.0.1',
  port: 0,
  data: (connection, chunk) => void connection.write(chunk),
});
const sockets = Array.from({ length: CONNECTIONS }, () =>
  net.connect({ port: listener.port, host: '127.0.0.1', noDelay: true }),
);
await Promise.all(sockets.map((socket) => once(socket, 'connect')));

async function round() {
  const answers = Promise.all(sockets.map((socket) => once(socket, 'data')));
  for (const socket of sockets) socket.write('x');
  await answers;
}

await round();
const before = Loop.current().metrics();
for (let done = 0; done < ROUNDS; done++) await round();
const after = Loop.current().metrics();
const turns = after.turnsWithEvents - before.turnsWithEvents;
for (const socket of sockets) socket.destroy();
listener.destroy();
console.log(JSON.stringify({ callsPerRound: turns / ROUNDS }));
