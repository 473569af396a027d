// Random operations on one file through several handles, against a model that knows every byte.
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { type FileHandle, open, readFile, stat, writeFile } from 'ringpoll/fs';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/fs_both.js';
import { evict } from '../support/fs_evict.js';
import { Random } from '../support/random.js';
import { pattern } from '../support/serve.js';

const SEEDS = [1, 2, 3, 4, 5, 6];
const OPERATIONS = 150;
const SIZE_MAX = 700_000;

/** What the file must hold. */
class Model {
  bytes = Buffer.alloc(0);

  write(data: Buffer, position: number): void {
    if (position + data.length > this.bytes.length) this.truncate(position + data.length);
    data.copy(this.bytes, position);
  }

  truncate(length: number): void {
    const longer = Buffer.alloc(Math.max(length, this.bytes.length));
    this.bytes.copy(longer);
    this.bytes = longer.subarray(0, length);
  }
}

async function writeAll(handle: FileHandle, data: Buffer, position: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    const left = data.length - done;
    done += (await handle.write(data, done, left, position + done)).bytesWritten;
  }
}

/** Everything from there, in as many reads as it takes: like read(2), one may bring less. */
async function readAll(handle: FileHandle, length: number, position: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) return bytes.subarray(0, done);
    done += bytesRead;
  }
  return bytes;
}

/** Says where two buffers part: for the runner, comparing byte by byte, that takes long. */
function expectBytes(actual: Buffer, expected: Buffer, what: string): void {
  if (actual.equals(expected)) return;
  const length = Math.min(actual.length, expected.length);
  let at = 0;
  while (at < length && actual[at] === expected[at]) at += 1;
  const lengths = `${actual.length} bytes instead of ${expected.length}`;
  expect.fail(`${what}: ${lengths}, byte ${at} is ${actual[at]} instead of ${expected[at]}`);
}

async function step(random: Random, handles: FileHandle[], model: Model, path: string) {
  const handle = handles[random.below(handles.length)]!;
  const position = random.below(SIZE_MAX);
  const length = 1 + random.below(random.chance(0.2) ? 400_000 : 9_000);
  switch (random.below(9)) {
    case 0:
    case 1: {
      const data = pattern(length, position + 1);
      model.write(data, position);
      return writeAll(handle, data, position);
    }
    case 2: {
      const pieces = [pattern(length, 1), Buffer.alloc(0), pattern(100, 2)];
      model.write(Buffer.concat(pieces), position);
      const { bytesWritten } = await handle.writev(pieces, position);
      expect(bytesWritten).toBe(length + 100);
      return;
    }
    case 3: {
      const wanted = random.below(SIZE_MAX);
      model.truncate(wanted);
      return handle.truncate(wanted);
    }
    case 4:
      expectBytes(await readFile(path), model.bytes, 'readFile');
      return;
    case 5:
      expect((await stat(path)).size).toBe(model.bytes.length);
      return handle.datasync();
    case 6:
      evict(path);
      return;
    case 7: {
      const buffers = [Buffer.alloc(1 + random.below(length)), Buffer.alloc(length)];
      const { bytesRead } = await handle.readv(buffers, position);
      const read = Buffer.concat(buffers).subarray(0, bytesRead);
      const end = position + Math.max(bytesRead, position < model.bytes.length ? 1 : 0);
      expectBytes(read, model.bytes.subarray(position, end), `readv at ${position}`);
      return;
    }
    default: {
      const expected = model.bytes.subarray(position, position + length);
      expectBytes(await readAll(handle, length, position), expected, `read at ${position}`);
    }
  }
}

describe('a file under random operations', () => {
  it.each(SEEDS)('holds what the model holds (seed %i)', async (seed) => {
    const random = new Random(seed);
    const path = join(temporaryFolder(), 'file');
    await writeFile(path, '');
    const handles = await Promise.all([0, 1, 2].map(() => open(path, 'r+')));
    const model = new Model();
    for (let i = 0; i < OPERATIONS; i += 1) await step(random, handles, model, path);
    await Promise.all(handles.map((handle) => handle.close()));
    expectBytes(nodeFs.readFileSync(path), model.bytes, 'the file');
  });

  it('takes many writes and reads at the same time, each in its own part', async () => {
    const path = join(temporaryFolder(), 'file');
    const handle = await open(path, 'w+');
    const parts = Array.from({ length: 64 }, (_, index) => pattern(10_000 + index, index + 1));
    const partBytes = 11_000;
    await Promise.all(parts.map((part, index) => writeAll(handle, part, index * partBytes)));
    const read = await Promise.all(
      parts.map((part, index) => readAll(handle, part.length, index * partBytes)),
    );
    for (const [index, bytes] of read.entries()) expectBytes(bytes, parts[index]!, `part ${index}`);
    await handle.close();
    // By another way as well: what is read and what is in the file are different questions.
    const file = nodeFs.readFileSync(path);
    for (const [index, part] of parts.entries()) {
      const start = index * partBytes;
      expectBytes(file.subarray(start, start + part.length), part, `part ${index} of the file`);
    }
    expect(file.length).toBe(63 * partBytes + parts[63]!.length);
  });

  it('appends whole records, whoever else appends', async () => {
    const path = join(temporaryFolder(), 'log');
    const handles = await Promise.all([0, 1, 2, 3].map(() => open(path, 'a')));
    const record = (index: number) => `${String(index).repeat(3000)}\n`;
    await Promise.all(
      Array.from({ length: 100 }, (_, index) => handles[index % 4]!.write(record(index % 10))),
    );
    await Promise.all(handles.map((handle) => handle.close()));
    const lines = nodeFs.readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(100);
    for (const line of lines) expect(line).toBe(record(Number(line[0])).trimEnd());
  });
});
