// node bench/servers/group-http.mjs PORT THREADS BALANCE: http-plaintext on a group of threads.
//   /          Hello, World! made per request        /thread   the number of the thread
import { LoopGroup } from 'ringpoll/threads';

const [port = '8080', threads = 'auto', balance = 'reuseport'] = process.argv.slice(2);
const group = new LoopGroup(new URL('../lib/group_http.mjs', import.meta.url), {
  threads: threads === 'auto' ? threads : Number(threads),
  balance,
  data: { port: Number(port) },
});
await group.start();
console.log(`ready ${group.port} threads=${group.threads} balance=${balance}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => group.stop({ timeout: 2000 }).then(() => process.exit(0)));
}
// For benchmarks: where the connections are, and a reload.
process.on('message', async (wanted) => {
  if (wanted === 'reload') await group.reload();
  process.send({ wanted, reports: group.reports() });
});
