// The files of a folder: node examples/http/file-server.mjs [PORT] [FOLDER]
// Ranges, conditions (304), HEAD and media types are sendFile()'s; nothing outside of the folder is
// found, and no dotfiles.
import { resolve } from 'node:path';
import { serve } from 'ringpoll/http';

const [port = '8080', folder = '.'] = process.argv.slice(2);
const root = resolve(folder);

const server = serve({
  host: '127.0.0.1',
  port: Number(port),
  routes: {
    '/*': {
      // HEAD is answered by GET. What is not there rejects, and that is answered by 404.
      GET(request, response) {
        const path = request.path.endsWith('/') ? `${request.path}index.html` : request.path;
        return response.sendFile(path, { root, cacheControl: 'no-cache' });
      },
    },
  },
  error(error, request) {
    console.error(`${request?.remoteAddress ?? 'somebody'}: ${error.message}`);
  },
});
console.log(`http://127.0.0.1:${server.port}/ serves ${root}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ deadline: 5000 }));
}
