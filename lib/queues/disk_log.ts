// Records in files, the oldest first: written at the end, read at the beginning. A process that
// dies loses nothing that append() has resolved for; a machine that dies, nothing that was synced.
//
//   head ----.           0000000000000007.log   0000000000000008.log   one file of
//            '-> which file, from which byte on   ^ appended to       `segmentBytes`, then the next
//
// A record: length (4 bytes), CRC-32 of what follows (4 bytes), content.
import { Buffer } from 'node:buffer';
import { zlib } from '../builtins.js';
import { asError } from '../errors.js';
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  stat,
  unlink,
} from '../fs/index.js';

export interface CheckedDiskLogOptions {
  readonly folder: string;
  readonly segmentBytes: number;
  /** Milliseconds between two syncs; 0: each append() is synced, undefined: none is. */
  readonly syncMs: number | undefined;
  /** Something is wrong with what was read, or cannot be synced. */
  failed(error: Error): void;
}

interface Segment {
  readonly number: number;
  /** Of records. */
  bytes: number;
}

/** What peek() has read. */
export interface Records {
  readonly list: readonly Buffer[];
  /** Where it ends. */
  readonly end: number;
}

const HEADER_BYTES = 8;
const READ_BYTES = 256 * 1024;
/** Segments are counted from here: there is room before the first. */
const FIRST_NUMBER = 2 ** 40;
const NAME_DIGITS = 16;
const NAME = /^(\d{16})\.log$/;
const HEAD = 'head';

const crc32 = (bytes: Uint8Array) => zlib().crc32(bytes);

function framed(records: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const record of records) length += HEADER_BYTES + record.length;
  const all = Buffer.allocUnsafe(length);
  let at = 0;
  for (const record of records) {
    all.writeUInt32LE(record.length, at);
    all.writeUInt32LE(crc32(record), at + 4);
    all.set(record, at + HEADER_BYTES);
    at += HEADER_BYTES + record.length;
  }
  return all;
}

/** Bytes that a record takes. */
export const sizeOf = (record: Uint8Array): number => HEADER_BYTES + record.length;

export class DiskLog {
  readonly #options: CheckedDiskLogOptions;
  /** The first is read, the last is written if `#writer` is open. */
  #segments: Segment[] = [];
  #next = FIRST_NUMBER;
  #readAt = 0;
  #reader: FileHandle | undefined;
  #writer: FileHandle | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> | undefined;
  /** Of the step that came last: one at a time, since reading may end the file that is written. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: CheckedDiskLogOptions) {
    this.#options = options;
  }

  /** Goes on with what is in the folder, which is made if need be. */
  static async open(options: CheckedDiskLogOptions): Promise<DiskLog> {
    const log = new DiskLog(options);
    await mkdir(options.folder, { recursive: true });
    await log.#find();
    return log;
  }

  #inTurn<R>(step: () => Promise<R>): Promise<R> {
    const run = this.#last.then(step, step);
    this.#last = run;
    return run;
  }

  async #find(): Promise<void> {
    const names = (await readdir(this.#options.folder)) as string[];
    const numbers = names.map((name) => NAME.exec(name)?.[1]).filter((text) => text !== undefined);
    const head = await this.#readHead();
    for (const number of numbers.map(Number).sort((a, b) => a - b)) {
      this.#next = Math.max(this.#next, number + 1);
      const path = this.#path(number);
      const { size } = await stat(path);
      // Read to its end, or nothing came to be in it.
      if (size === 0 || (head !== undefined && number < head.number)) await unlink(path);
      else this.#segments.push({ number, bytes: size });
    }
    if (head === undefined) return;
    this.#next = Math.max(this.#next, head.number + 1);
    const first = this.#segments[0];
    if (first?.number === head.number) this.#readAt = Math.min(head.at, first.bytes);
  }

  #path(number: number): string {
    return `${this.#options.folder}/${String(number).padStart(NAME_DIGITS, '0')}.log`;
  }

  /** One that is damaged counts as none: then what was read before is read again. */
  async #readHead(): Promise<{ number: number; at: number } | undefined> {
    try {
      const text = await readFile(`${this.#options.folder}/${HEAD}`, 'latin1');
      const [number, at, crc] = text.trim().split(' ').map(Number) as [number, number, number];
      if (crc32(Buffer.from(`${number} ${at}`)) === crc) return { number, at };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    return undefined;
  }

  async #writeHead(): Promise<void> {
    const [first] = this.#segments;
    const text = `${first?.number ?? this.#next} ${this.#readAt}`;
    const path = `${this.#options.folder}/${HEAD}`;
    const handle = await open(`${path}.new`, 'w');
    try {
      await handle.writeFile(`${text} ${crc32(Buffer.from(text))}\n`);
    } finally {
      await handle.close();
    }
    await rename(`${path}.new`, path);
  }

  /** Bytes that are to be read. */
  get bytes(): number {
    let sum = -this.#readAt;
    for (const { bytes } of this.#segments) sum += bytes;
    return Math.max(0, sum);
  }

  /**
   * All of them, or none.
   * @returns rejects with the system's error: what had been written of them is taken back
   */
  append(records: readonly Uint8Array[]): Promise<void> {
    return this.#inTurn(() => this.#append(records));
  }

  async #append(records: readonly Uint8Array[]): Promise<void> {
    const bytes = framed(records);
    const writer = await this.#openWriter();
    const segment = this.#segments.at(-1) as Segment;
    try {
      await writeAll(writer, bytes, segment.bytes);
      if (this.#options.syncMs === 0) await writer.datasync();
    } catch (error) {
      await this.#takeBack(segment);
      throw error;
    }
    segment.bytes += bytes.length;
    const { syncMs } = this.#options;
    if (syncMs !== undefined && syncMs > 0) {
      this.#syncTimer ??= setTimeout(() => this.#syncLater(), syncMs);
    }
    if (segment.bytes >= this.#options.segmentBytes) await this.#closeWriter();
  }

  async #openWriter(): Promise<FileHandle> {
    if (this.#writer !== undefined) return this.#writer;
    const number = this.#next;
    const writer = await open(this.#path(number), 'wx');
    this.#next++;
    this.#writer = writer;
    this.#segments.push({ number, bytes: 0 });
    if (this.#options.syncMs === 0) await this.#syncFolder();
    return writer;
  }

  /** The name of a file has to last too. */
  async #syncFolder(): Promise<void> {
    const folder = await open(this.#options.folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  /** Whoever reads the rest of a record that failed would find it damaged, and stop there. */
  async #takeBack(segment: Segment): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    try {
      await writer?.truncate(segment.bytes);
      await writer?.close();
      if (segment.bytes > 0) return;
      this.#segments = this.#segments.filter((each) => each !== segment);
      await unlink(this.#path(segment.number));
    } catch (error) {
      this.#options.failed(asError(error));
    }
  }

  #syncLater(): void {
    this.#syncTimer = undefined;
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#syncing = writer.datasync().catch((error) => this.#options.failed(asError(error)));
  }

  async #closeWriter(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    if (writer === undefined) return;
    await this.#syncing;
    const { syncMs } = this.#options;
    if (syncMs !== undefined && syncMs > 0) {
      await writer.datasync().catch((error) => this.#options.failed(asError(error)));
    }
    await writer.close();
  }

  /** The oldest records, at most so many; undefined: there are none. */
  peek(count: number): Promise<Records | undefined> {
    return this.#inTurn(() => this.#peek(count));
  }

  async #peek(count: number): Promise<Records | undefined> {
    for (;;) {
      const segment = this.#segments[0];
      if (segment === undefined || (this.#readAt >= segment.bytes && this.#isWritten(segment))) {
        return undefined;
      }
      if (this.#readAt < segment.bytes) {
        const records = await this.#readFrom(segment, count);
        if (records !== undefined) return records;
      }
      await this.#nextSegment();
    }
  }

  #isWritten(segment: Segment): boolean {
    return this.#writer !== undefined && segment === this.#segments.at(-1);
  }

  /** Undefined: what is left of it is no record. */
  async #readFrom(segment: Segment, count: number): Promise<Records | undefined> {
    this.#reader ??= await open(this.#path(segment.number), 'r');
    const left = segment.bytes - this.#readAt;
    let bytes = await readAt(this.#reader, this.#readAt, Math.min(left, READ_BYTES));
    const first = bytes.length < HEADER_BYTES ? 0 : bytes.readUInt32LE(0) + HEADER_BYTES;
    if (first > bytes.length && first <= left) {
      bytes = await readAt(this.#reader, this.#readAt, first);
    }
    const list: Buffer[] = [];
    let at = 0;
    while (list.length < count && at + HEADER_BYTES <= bytes.length) {
      const end = at + HEADER_BYTES + bytes.readUInt32LE(at);
      if (end > bytes.length) break;
      const content = bytes.subarray(at + HEADER_BYTES, end);
      if (crc32(content) !== bytes.readUInt32LE(at + 4) || content.length === 0) break;
      list.push(content);
      at = end;
    }
    if (list.length > 0) return { list, end: this.#readAt + at };
    const where = `${this.#path(segment.number)}, from byte ${this.#readAt} on`;
    this.#options.failed(new Error(`${left} bytes are no records: ${where}`));
    return undefined;
  }

  async #nextSegment(): Promise<void> {
    const segment = this.#segments[0] as Segment;
    await this.#reader?.close();
    this.#reader = undefined;
    if (this.#isWritten(segment)) await this.#closeWriter();
    this.#segments.shift();
    this.#readAt = 0;
    // First: on a full disk there is room for the head then.
    await unlink(this.#path(segment.number));
    await this.#writeHead();
  }

  /** What ends there is done: it is not read again, but perhaps by a process after this one. */
  advance(end: number): Promise<void> {
    return this.#inTurn(() => this.#advance(end));
  }

  async #advance(end: number): Promise<void> {
    this.#readAt = end;
    const segment = this.#segments[0];
    if (segment !== undefined && end >= segment.bytes) {
      // Also the one that is written: an empty log has no file.
      await this.#nextSegment();
    } else {
      await this.#writeHead();
    }
  }

  /**
   * Before all others: nothing of them may have been read. All of them, or none.
   * @returns rejects with the system's error
   */
  prepend(records: readonly Uint8Array[]): Promise<void> {
    return this.#inTurn(() => this.#prepend(records));
  }

  async #prepend(records: readonly Uint8Array[]): Promise<void> {
    const number = (this.#segments[0]?.number ?? this.#next) - 1;
    const bytes = framed(records);
    const path = this.#path(number);
    const handle = await open(path, 'wx');
    try {
      await writeAll(handle, bytes, 0);
      if (this.#options.syncMs !== undefined) await handle.datasync();
      this.#segments.unshift({ number, bytes: bytes.length });
      this.#readAt = 0;
      await this.#writeHead();
    } catch (error) {
      // The next attempt writes all of them.
      if (this.#segments[0]?.number === number) this.#segments.shift();
      await unlink(path).catch((failed) => this.#options.failed(asError(failed)));
      throw error;
    } finally {
      await handle.close();
    }
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#close());
  }

  async #close(): Promise<void> {
    await this.#closeWriter();
    await this.#reader?.close();
    this.#reader = undefined;
    if (this.#options.syncMs !== undefined) await this.#syncFolder();
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}

async function readAt(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
