// Listens on the path that it is given, by node:net, until it is killed.
import { createServer } from 'node:net';

createServer().listen(process.argv[2], () => console.log('ready'));
