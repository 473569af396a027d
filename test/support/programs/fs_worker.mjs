// A worker in the middle of file operations, until it is terminated. workerData: { folder, task }.
//   busy   writes, syncs, reads, opens, and sends files to itself, without end
//   fifo   waits in the kernel for FIFOs that nobody else opens
//   exit   like busy, but ends itself by process.exit()
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { connect, Loop, listen } from 'ringpoll';
import { open, readFile, rename, sendFile, stat, unlink, writeFile } from 'ringpoll/fs';

const { folder, task } = workerData;
const at = (name) => join(folder, name);
let operations = 0;

async function forever(step) {
  for (;;) {
    await step();
    operations += 1;
    if (operations === 200) {
      if (task === 'exit') process.exit(7);
      parentPort.postMessage('busy');
    }
  }
}

async function writer(index) {
  const handle = await open(at(`written${index}`), 'w+');
  const bytes = Buffer.alloc(50_000, index);
  await forever(async () => {
    await handle.write(bytes, 0, bytes.length, 0);
    await handle.datasync();
    await handle.read(bytes, 0, bytes.length, 0);
  });
}

function namer(index) {
  return forever(async () => {
    await writeFile(at(`name${index}`), 'x');
    await rename(at(`name${index}`), at(`other${index}`));
    await stat(at(`other${index}`));
    await readFile(at(`other${index}`));
    await unlink(at(`other${index}`));
  });
}

async function sender() {
  await writeFile(at('sent'), Buffer.alloc(2_000_000, 's'));
  const handle = await open(at('sent'));
  const listener = listen({
    host: '127.0.0.1',
    port: 0,
    open: (connection) => void forever(() => sendFile(connection, handle, 0, 2_000_000)),
    error() {},
  });
  await connect({ host: '127.0.0.1', port: listener.port, data() {} });
}

function fifos() {
  for (let index = 0; index < 4; index += 1) {
    execFileSync('mkfifo', [at(`fifo${index}`)]);
    // A thread of libuv's pool that reads a FIFO can be stopped by nobody, Node included.
    if (Loop.current().engine !== 'poll') {
      open(at(`fifo${index}`), 'r+').then((handle) => handle.read(Buffer.alloc(10)));
    }
    readFile(at(`fifo${index}`));
  }
  setImmediate(() => parentPort.postMessage('busy'));
}

if (task === 'fifo') fifos();
else for (let index = 0; index < 3; index += 1) void Promise.all([writer(index), namer(index)]);
if (task !== 'fifo') await sender();
