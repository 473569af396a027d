// A program for node:http that says who serves it: by ES module, by require(), and in a worker.
import * as byImport from 'node:http';
import { createRequire } from 'node:module';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

const byRequire = createRequire(import.meta.url)('http');
const same =
  byImport.createServer === byRequire.createServer && byImport.Server === byRequire.Server;

let native;
const server = byImport.createServer((request, response) => {
  // A request that is served natively has no stream until somebody reads it.
  native = !Object.hasOwn(request, '_readableState');
  response.end(`${request.url}`);
});
server.listen(0, '127.0.0.1', () => {
  byImport.get(`http://127.0.0.1:${server.address().port}/path`, (response) => {
    response.on('data', (data) => {
      const line = `${same} ${native ? 'ringpoll' : 'node'} ${data}`;
      server.close();
      if (isMainThread) console.log(line);
      else parentPort.postMessage(line);
    });
  });
});

if (isMainThread) {
  new Worker(new URL(import.meta.url)).on('message', (line) => console.log(`worker: ${line}`));
}
