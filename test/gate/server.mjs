// The server that is measured: echo or HTTP, as its argument says. It answers 'mark' with what it
// has counted so far, and ends with its parent.
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { Loop, listen } from 'ringpoll';
import { serve } from 'ringpoll/http';

const [kind] = process.argv.slice(2);

const server =
  kind === 'http'
    ? serve({ host: '127.0.0.1', port: 0, handler: (_request, response) => response.end('hello') })
    : listen({
        host: '127.0.0.1',
        port: 0,
        data: (connection, chunk) => void connection.write(chunk),
        error: () => {},
      });

let collections = 0;
new PerformanceObserver((list) => {
  collections += list.getEntries().length;
}).observe({ entryTypes: ['gc'] });

process.on('message', (message) => {
  if (message === 'mark') {
    const heapBytes = getHeapStatistics().used_heap_size;
    process.send({ metrics: Loop.current().metrics(), heapBytes, collections });
  } else if (message === 'end') process.exit(0);
});
process.on('disconnect', () => process.exit(0));
process.send({ port: server.port ?? server.address.port, engine: Loop.current().engine });
