// Listens on a path that is relative to the folder given, and closes from within another folder.
import { existsSync } from 'node:fs';
import { listen } from 'ringpoll';

process.chdir(process.argv[2]);
const listener = listen({ path: 'a.sock', data() {} });
const before = existsSync('a.sock');
process.chdir('/');
await listener.stop();
process.chdir(process.argv[2]);
console.log(`${before} ${existsSync('a.sock')}`);
