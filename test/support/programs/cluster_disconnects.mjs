// A worker of node:cluster with two servers of the package and a client that stays connected. It is
// disconnected by the one that the argument names, and has to end by itself.
import cluster from 'node:cluster';
import { Agent, get } from 'node:http';
import { listen } from 'ringpoll';
import { serve } from 'ringpoll/http';

if (cluster.isPrimary) {
  const worker = cluster.fork();
  worker.on('message', (port) => {
    get({ port, host: '127.0.0.1', agent: new Agent({ keepAlive: true }) }, (response) => {
      response.resume().on('end', () => {
        console.log('answered');
        if (process.argv[2] === 'worker') worker.send('disconnect');
        else worker.disconnect();
      });
    });
  });
  worker.on('exit', (code) => {
    console.log(`worker ended: ${code}`);
    process.exit();
  });
} else {
  listen({ host: '127.0.0.1', port: 0, data() {} });
  const server = serve({
    host: '127.0.0.1',
    port: 0,
    keepAliveTimeout: 600_000,
    handler: (_, response) => response.end('x'),
  });
  process.on('message', (message) => {
    if (message === 'disconnect') cluster.worker.disconnect();
  });
  process.send(server.port);
}
