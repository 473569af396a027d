// The files of a folder: node examples/http/file-server.mjs [PORT] [FOLDER]
// Ranges, conditions (304), HEAD and media types are sendFile()'s; nothing outside of the folder is
// found, and no dotfiles. Without an index.html in it, / lists the files of the folder.
import { resolve } from 'node:path';
import { readdir } from 'ringpoll/fs';
import { HttpRequestError, serve } from 'ringpoll/http';

const [port = '8080', folder = '.'] = process.argv.slice(2);
const root = resolve(folder);

const escaped = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

async function listing() {
  const entries = await readdir(root, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const links = names
    .filter((name) => !name.startsWith('.'))
    .map((name) => `<li><a href="./${encodeURIComponent(name)}">${escaped(name)}</a>\n`);
  const head = '<!doctype html>\n<meta charset="utf-8">\n<title>Files</title>\n';
  return `${head}<ul>\n${links.join('')}</ul>\n`;
}

const server = serve({
  host: '127.0.0.1',
  port: Number(port),
  routes: {
    '/': {
      async GET(_request, response) {
        try {
          await response.sendFile('index.html', { root, cacheControl: 'no-cache' });
        } catch (error) {
          if (!(error instanceof HttpRequestError) || error.status !== 404) throw error;
          response.header('Content-Type', 'text/html; charset=utf-8').end(await listing());
        }
      },
    },
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
  process.once(signal, () => server.stop({ timeout: 5000 }));
}
