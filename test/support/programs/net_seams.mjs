// ringpoll/net where a private member of Node has gone: the argument names it. Prints what becomes
// of it, and the answer of an echo.
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import net from 'node:net';

const say = (line) => writeSync(1, `${line}\n`);
const symbol = (of, name) =>
  Object.getOwnPropertySymbols(of).find(({ description }) => description === name);

const [name] = process.argv.slice(2);
const of = name === '_listen2' ? net.Server.prototype : net.Socket.prototype;
const key = name.startsWith('k') ? symbol(of, name) : name;
const found = Object.getOwnPropertyDescriptor(of, key);
delete of[key];
const { active, createServer, connect, installNet } = await import('ringpoll/net');
const { Loop } = await import('ringpoll');
// Node itself cannot do without.
Object.defineProperty(of, key, found);
say(`${active} ${installNet().active}`);
say(installNet().reason);
say(JSON.stringify(Loop.current().explain().net.active));
const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
await once(server, 'listening');
const socket = connect(server.address().port, '127.0.0.1');
socket.end('by Node');
for await (const bytes of socket) say(bytes.toString());
server.close();
