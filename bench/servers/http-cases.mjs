// node bench/servers/http-cases.mjs PORT CASE: one kind of request each.
//   static    answered by native code            headers   the handler reads three of many headers
//   json      JSON.stringify per request         upload    the whole body is read
//   download  100 KB from memory                 file      1 MB from a file (CASE file PATH)
import { Loop } from 'ringpoll';
import { serve } from 'ringpoll/http';

const HELLO = 'Hello, World!';
const DOWNLOAD_BYTES = 100 * 1024;
const PLAIN = { 'Content-Type': 'text/plain' };
const [port = '8080', kind = 'static', path] = process.argv.slice(2);

const download = Buffer.alloc(DOWNLOAD_BYTES, 'x');
let seen = 0;

const cases = {
  static: { static: { '/': { headers: PLAIN, body: HELLO } }, handler() {} },
  headers: {
    handler(request, response) {
      seen += request.header('user-agent').length;
      seen += request.header('accept-language').length;
      seen += request.header('cookie').length;
      response.header('Content-Type', 'text/plain').end(HELLO);
    },
  },
  json: {
    handler: (_, response) => response.json({ message: HELLO }),
  },
  upload: {
    async handler(request, response) {
      seen += (await request.body()).length;
      response.header('Content-Type', 'text/plain').end(HELLO);
    },
  },
  download: {
    handler: (_, response) => response.header('Content-Type', 'text/plain').end(download),
  },
  file: {
    handler: (_, response) => response.sendFile(path),
  },
};

const server = serve({ host: '127.0.0.1', port: Number(port), ...cases[kind] });
console.log(`ready ${server.port} engine=${Loop.current().engine}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () =>
    server.stop({ timeout: 2000 }).then(() => process.exit(seen < 0 ? 1 : 0)),
  );
}
