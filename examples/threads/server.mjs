// node examples/threads/server.mjs [PORT] [BALANCE]: HTTP on all processors. SIGHUP replaces all
// threads, one after the other, with what the module is by then.
//   curl http://127.0.0.1:8080/
import { LoopGroup } from 'ringpoll/threads';

const [port = '8080', balance = 'least-connections'] = process.argv.slice(2);
const group = new LoopGroup(new URL('./handlers.mjs', import.meta.url), {
  threads: 'auto',
  balance,
  data: { port: Number(port) },
  crash: ({ thread, error }) => console.error(`thread ${thread} is replaced:`, error),
});
await group.start();
process.on('SIGHUP', () => group.reload({ timeout: 10_000 }).catch(console.error));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => group.stop({ timeout: 5000 }));
}
console.log(`http://127.0.0.1:${group.port}/ on ${group.threads} threads, balance ${balance}`);
