// node client_exits.mjs URL: two requests with a pause, and the end of the program: the connection
// that is kept does not keep the process.
import { request } from 'ringpoll/client';

const url = process.argv[2];
console.log(await (await request(url)).text());
await new Promise((resolve) => setTimeout(resolve, 50));
// Nothing but the kept connection is open: a request that begins now must still be answered.
console.log(await (await request(url)).text());
process.on('exit', () => console.log('exit'));
