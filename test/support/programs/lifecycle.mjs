// A server that ends by signals. A request to /slow is answered when a line comes on standard
// input, one to /stuck never.
import { serve } from 'ringpoll/http';
import { isReady, onShutdown, probes, shutdownWith } from 'ringpoll/lifecycle';

const host = '127.0.0.1';
const health = serve({ host, port: 0, routes: { ...probes() } });
const told = new Promise((resolve) => process.stdin.once('data', resolve));
const server = serve({
  host,
  port: 0,
  async handler(request, response) {
    if (request.path !== '/slow') return void console.log('stuck');
    console.log('slow');
    await told;
    response.end(`ready ${isReady()}`);
  },
});
shutdownWith(server, { timeout: 15_000 });
onShutdown('accept', (_, reason) => console.log(`accept ${reason}`));
onShutdown('release', () => {
  console.log('release');
  health.destroy();
});
console.log(`${server.port} ${health.port}`);
