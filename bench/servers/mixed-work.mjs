// Work on files beside HTTP, the same for every program that is compared: 32 readers read one of 32
// files of 4 KB at random, 8 writers append a record and flush it. What they may do is given by
// requests, so that however fast a program is, a request comes with the same work on files.
//
// Cold: where there is a file named `cold`, readers read 4 KB anywhere in it, and nobody writes.
//
// A file named `work.json` asks for other work: `readers` says how many there are, and `alone` has
// them go on as fast as they can, whatever is requested: with `read` (the default), with `open` (a
// file of 4 KB is opened, read and closed), or with `sync` (100 bytes are appended and flushed).
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const FILES = 32;
export const FILE_BYTES = 4096;
export const READERS = 32;
export const WRITERS = 8;
export const READS_PER_REQUEST = 2;
export const REQUESTS_PER_APPEND = 20;
export const COLD_FILE = 'cold';
export const WORK_FILE = 'work.json';
const RECORD_BYTES = 100;

/** Work that is due: `take()` resolves when there is some, and `done()` says that it was done. */
class Due {
  given = 0;
  finished = 0;
  behindMax = 0;
  #free = 0;
  #idle = [];

  give() {
    this.given++;
    const behind = this.given - this.finished;
    if (behind > this.behindMax) this.behindMax = behind;
    const next = this.#idle.pop();
    if (next === undefined) this.#free++;
    else next();
  }

  take() {
    if (this.#free > 0) {
      this.#free--;
      return undefined;
    }
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  done() {
    this.finished++;
  }

  get counts() {
    const { given, finished, behindMax } = this;
    return { given, finished, behindMax };
  }
}

/**
 * Starts readers and writers on `fs` (node:fs/promises or ringpoll/fs) in `folder`, where file0 to
 * file31 are. Gives `request()`, to be called for each request, and `counts()`.
 */
export async function startWork(fs, folder) {
  const reads = new Due();
  const appends = new Due();
  let requests = 0;
  const workPath = join(folder, WORK_FILE);
  const { readers = READERS, alone } = existsSync(workPath)
    ? JSON.parse(readFileSync(workPath, 'utf8'))
    : {};
  const coldPath = join(folder, COLD_FILE);
  const isCold = existsSync(coldPath);
  const names = Array.from({ length: FILES }, (_, index) => join(folder, `file${index}`));
  const paths = isCold ? [coldPath] : names;
  const files = await Promise.all(paths.map((name) => fs.open(name, 'r')));
  const places = isCold ? Math.floor(Number((await files[0].stat()).size) / FILE_BYTES) : 1;
  // The same sequence in every program.
  let random = 0x2545f491;
  const pick = () => {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    return isCold ? [files[0], ((random >>> 8) % places) * FILE_BYTES] : [files[random >>> 27], 0];
  };

  const open = async () => {
    const buffer = Buffer.alloc(FILE_BYTES);
    for (;;) {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      const file = await fs.open(names[random >>> 27], 'r');
      const { bytesRead } = await file.read(buffer, 0, FILE_BYTES, 0);
      if (bytesRead !== FILE_BYTES) throw new Error(`read ${bytesRead} bytes`);
      await file.close();
      reads.done();
    }
  };
  const sync = async (index) => {
    const record = Buffer.alloc(RECORD_BYTES, 'r');
    const log = await fs.open(join(folder, `log${index}`), 'a');
    for (;;) {
      await log.write(record);
      await log.datasync();
      reads.done();
    }
  };
  const read = async () => {
    const buffer = Buffer.alloc(FILE_BYTES);
    for (;;) {
      if (alone === undefined) await reads.take();
      const [file, position] = pick();
      const { bytesRead } = await file.read(buffer, 0, FILE_BYTES, position);
      if (bytesRead !== FILE_BYTES) throw new Error(`read ${bytesRead} bytes`);
      reads.done();
    }
  };
  const append = async (index) => {
    const record = Buffer.alloc(RECORD_BYTES, 'r');
    const log = await fs.open(join(folder, `log${index}`), 'a');
    for (;;) {
      await appends.take();
      await log.write(record);
      await log.datasync();
      appends.done();
    }
  };
  const fail = (error) => {
    console.error(error.stack);
    process.exit(1);
  };
  const job = { open, sync }[alone] ?? read;
  for (let index = 0; index < readers; index++) job(index).catch(fail);
  if (!isCold && alone === undefined)
    for (let index = 0; index < WRITERS; index++) append(index).catch(fail);
  const timers = isCold ? watchTimers() : undefined;

  return {
    request() {
      requests++;
      if (alone !== undefined) return;
      for (let index = 0; index < READS_PER_REQUEST; index++) reads.give();
      if (!isCold && requests % REQUESTS_PER_APPEND === 0) appends.give();
    },
    counts: () => ({
      requests,
      cpu: process.cpuUsage(),
      reads: reads.counts,
      appends: appends.counts,
      ...timers?.(),
    }),
  };
}

/** How late a timer of 5 ms comes, in milliseconds. */
function watchTimers() {
  const PERIOD_MS = 5;
  const lateness = [];
  let due = performance.now() + PERIOD_MS;
  const tick = () => {
    const now = performance.now();
    lateness.push(Math.max(now - due, 0));
    due = now + PERIOD_MS;
    setTimeout(tick, PERIOD_MS);
  };
  setTimeout(tick, PERIOD_MS);
  return () => {
    const sorted = lateness.splice(0).sort((a, b) => a - b);
    const timerP99Ms = sorted[Math.floor(sorted.length * 0.99)];
    return { timerP99Ms, timerMaxMs: sorted.at(-1) };
  };
}
