// Uploads of any size, to disk as they come: node examples/http/upload.mjs [PORT] [FOLDER]
//   curl -T big.iso http://127.0.0.1:8080/big.iso; curl http://127.0.0.1:8080/big.iso
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { open, rename, unlink } from 'ringpoll/fs';
import { HttpRequestError, serve } from 'ringpoll/http';

const [port = '8080', folder = join(tmpdir(), 'uploads')] = process.argv.slice(2);
const root = resolve(folder);
mkdirSync(root, { recursive: true });

async function upload(request, response) {
  const { name } = request.params;
  if (!/^\w[\w.-]{0,100}$/.test(name)) {
    return response.status(400).json({ error: 'letters, digits, dots and dashes, please' });
  }
  // Nobody finds it by its name until it is complete; of two uploads at a time the later end wins.
  const part = join(root, `.${randomUUID()}`);
  const file = await open(part, 'wx');
  let bytes = 0;
  try {
    for await (const piece of request.stream()) {
      // While this waits for the disk the socket is not read, and so the peer waits too.
      await file.writeFile(piece);
      bytes += piece.length;
    }
    await rename(part, join(root, name));
  } catch (error) {
    await unlink(part); // the peer went away, or the disk is full
    throw error;
  } finally {
    await file.close();
  }
  response.status(201).header('Location', `/${name}`).json({ name, bytes });
}

const server = serve({
  host: '127.0.0.1',
  port: Number(port),
  maxBodyBytes: 1024 ** 4,
  requestTimeout: 0, // however long it takes; minReceiveRate still ends a peer that sends nothing
  routes: {
    '/': { GET: (_request, response) => response.end('curl -T FILE here, then curl here/FILE\n') },
    '/:name': {
      GET: (request, response) => response.sendFile(request.path, { root }),
      PUT: upload,
    },
  },
  error(error) {
    if (!(error instanceof HttpRequestError)) console.error(error.message);
  },
});
console.log(`http://127.0.0.1:${server.port}/ keeps files in ${root}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ timeout: 60_000 }));
}
