// node bench/servers/mixed.mjs PORT FOLDER: HTTP and work on files in one process, on ringpoll.
import { Loop } from 'ringpoll';
import * as fs from 'ringpoll/fs';
import { serve } from 'ringpoll/http';
import { startWork } from './mixed-work.mjs';

const work = await startWork(fs, process.argv[3]);

const server = serve({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 0),
  handler(request, response) {
    if (request.path === '/counts') {
      response.json(work.counts());
      return;
    }
    work.request();
    response.header('Content-Type', 'text/plain').end('Hello, World!');
  },
});
console.log(`ready ${server.port} engine=${Loop.current().engine}`);
process.on('SIGTERM', () => process.exit(0));
