// node bench/servers/group-http.mjs PORT THREADS BALANCE: http-plaintext on a group of threads.
//   /          Hello, World! made per request        /thread   the number of the thread
// SIGHUP replaces all threads, and SIGUSR2 prints how many connections each thread has had.
import { LoopGroup } from 'ringpoll/threads';

const [port = '8080', threads = 'auto', balance = 'reuseport'] = process.argv.slice(2);
const group = new LoopGroup(new URL('../lib/group_http.mjs', import.meta.url), {
  threads: threads === 'auto' ? threads : Number(threads),
  balance,
  data: { port: Number(port) },
});
await group.start();
process.on('SIGHUP', () => group.reload().then(() => console.log('reloaded')));
process.on('SIGUSR2', () => {
  console.log(JSON.stringify(group.reports().map(({ accepted }) => accepted)));
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => group.stop({ timeout: 2000 }).then(() => process.exit(0)));
}
console.log(`ready ${group.port} threads=${group.threads} balance=${balance}`);
