// What keeps the process alive, and what does not. Arguments: the case, a folder.
import { join } from 'node:path';
import { Loop } from 'ringpoll';
import { open, writeFile } from 'ringpoll/fs';

const [name, folder] = process.argv.slice(2);
const path = join(folder, 'file');

const cases = {
  /** A file operation alone keeps the process alive until it is done. */
  async waits() {
    await writeFile(path, 'written', { flush: true });
    console.log('done');
  },
  /** Also when the loop itself must not. */
  async unreferenced() {
    Loop.current().unref();
    await writeFile(path, 'written', { flush: true });
    console.log('done');
  },
  /** A handle that is open keeps nothing alive. */
  async openHandle() {
    globalThis.kept = await open(path, 'w');
    console.log('done');
  },
  /** The process may end in the midst of everything. */
  async exits() {
    const handle = await open(path, 'w');
    for (let i = 0; i < 50; i += 1) {
      void handle.write(Buffer.alloc(200_000), 0, 200_000, i * 200_000);
      void handle.sync();
    }
    setImmediate(() => process.exit(7));
  },
};

await cases[name]();
