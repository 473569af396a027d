// The same calls on node:fs/promises and on ringpoll/fs, each in a folder of its own, and their
// results in a form that can be compared.
import nodeFs, { Stats } from 'node:fs';
import nodePromises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ringFs from 'ringpoll/fs';
import { expect, onTestFinished } from 'vitest';

/** What both modules have. */
export type Fs = Pick<
  typeof nodePromises,
  | 'open'
  | 'readFile'
  | 'writeFile'
  | 'appendFile'
  | 'stat'
  | 'lstat'
  | 'rename'
  | 'unlink'
  | 'truncate'
  | 'readdir'
  | 'copyFile'
>;
export const ours = ringFs as unknown as Fs;

/** A folder that is gone when the test is over. */
export function temporaryFolder(): string {
  const folder = nodeFs.mkdtempSync(join(tmpdir(), 'ringpoll-fs-'));
  onTestFinished(() => nodeFs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Without what differs between two folders: their names, inodes and times. */
function comparable(value: unknown, folder: string): unknown {
  if (value instanceof Stats) {
    const { mode, nlink, uid, gid, rdev, blksize, size, dev } = value;
    const kinds = [value.isFile(), value.isDirectory(), value.isSymbolicLink(), value.isFIFO()];
    return { mode, nlink, uid, gid, rdev, blksize, size, dev, kinds, keys: Object.keys(value) };
  }
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
    return `${value.constructor.name} ${bytes.toString('latin1')}`;
  }
  if (typeof value === 'string') return value.replaceAll(folder, 'FOLDER');
  if (Array.isArray(value)) return value.map((item) => comparable(item, folder));
  if (value instanceof Error) return failure(value, folder);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, comparable(item, folder)]),
  );
}

function failure(error: Error, folder: string): unknown {
  const { code, errno, syscall, path, dest } = error as NodeJS.ErrnoException & { dest?: string };
  const { name, message } = error;
  const told = { class: error.constructor.name, name, message, code, errno, syscall, path, dest };
  return comparable({ failed: true, ...told }, folder);
}

export type Case = (fs: Fs, folder: string) => Promise<unknown>;

async function outcome(run: Case, fs: Fs, prepare: (folder: string) => void): Promise<unknown> {
  const folder = temporaryFolder();
  prepare(folder);
  try {
    return comparable(await run(fs, folder), folder);
  } catch (error) {
    return failure(error as Error, folder);
  }
}

/** Runs the case on both and compares what came of it. */
export async function compare(run: Case, prepare: (folder: string) => void): Promise<void> {
  const expected = await outcome(run, nodePromises as Fs, prepare);
  expect(await outcome(run, ours, prepare)).toEqual(expected);
}
