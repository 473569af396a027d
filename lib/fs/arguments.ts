// Arguments in their usual forms. Anything else is undefined here and goes to node:fs as it is,
// which knows every form and every complaint.
import { fileURLToPath } from 'node:url';
import { fs } from '../builtins.js';
import { optionNames } from '../option_names.js';
import { checkFileOptions, type EngineHint } from './routes.js';

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_SYNC, O_TRUNC, O_WRONLY } = fs().constants;

const FLAGS = new Map<string, number>([
  ['r', O_RDONLY],
  ['rs', O_RDONLY | O_SYNC],
  ['sr', O_RDONLY | O_SYNC],
  ['r+', O_RDWR],
  ['rs+', O_RDWR | O_SYNC],
  ['sr+', O_RDWR | O_SYNC],
  ['w', O_TRUNC | O_CREAT | O_WRONLY],
  ['wx', O_TRUNC | O_CREAT | O_WRONLY | O_EXCL],
  ['xw', O_TRUNC | O_CREAT | O_WRONLY | O_EXCL],
  ['w+', O_TRUNC | O_CREAT | O_RDWR],
  ['wx+', O_TRUNC | O_CREAT | O_RDWR | O_EXCL],
  ['xw+', O_TRUNC | O_CREAT | O_RDWR | O_EXCL],
  ['a', O_APPEND | O_CREAT | O_WRONLY],
  ['ax', O_APPEND | O_CREAT | O_WRONLY | O_EXCL],
  ['xa', O_APPEND | O_CREAT | O_WRONLY | O_EXCL],
  ['as', O_APPEND | O_CREAT | O_WRONLY | O_SYNC],
  ['sa', O_APPEND | O_CREAT | O_WRONLY | O_SYNC],
  ['a+', O_APPEND | O_CREAT | O_RDWR],
  ['ax+', O_APPEND | O_CREAT | O_RDWR | O_EXCL],
  ['xa+', O_APPEND | O_CREAT | O_RDWR | O_EXCL],
  ['as+', O_APPEND | O_CREAT | O_RDWR | O_SYNC],
  ['sa+', O_APPEND | O_CREAT | O_RDWR | O_SYNC],
]);
const FLAGS_MAX = 2 ** 31 - 1;
const MODE_MAX = 0o7777;

export const MODE_DEFAULT = 0o666;

export function usualPath(path: unknown): string | undefined {
  if (typeof path === 'string') return path.includes('\0') ? undefined : path;
  if (!(path instanceof URL) || path.protocol !== 'file:') return undefined;
  try {
    return usualPath(fileURLToPath(path));
  } catch {
    return undefined;
  }
}

export function usualFlags(flags: unknown): number | undefined {
  if (flags === undefined || flags === null) return O_RDONLY;
  if (typeof flags === 'string') return FLAGS.get(flags);
  const usual = Number.isInteger(flags) && (flags as number) >= 0 && (flags as number) <= FLAGS_MAX;
  return usual ? (flags as number) : undefined;
}

export function usualMode(mode: unknown): number | undefined {
  if (mode === undefined || mode === null) return MODE_DEFAULT;
  const usual = Number.isInteger(mode) && (mode as number) >= 0 && (mode as number) <= MODE_MAX;
  return usual ? (mode as number) : undefined;
}

/** A place in a file, or -1 for the descriptor's own position. */
export function usualPosition(position: unknown): number | undefined {
  if (position === undefined || position === null) return -1;
  if (typeof position === 'bigint') return usualPosition(Number(position));
  if (!Number.isSafeInteger(position) || (position as number) < -1) return undefined;
  return position as number;
}

/** The bytes of a view, which need not be a Uint8Array. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  if (view instanceof Uint8Array) return view;
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Flags under which bytes may be written. */
export function writes(flags: number): boolean {
  return (flags & (O_WRONLY | O_RDWR)) !== 0;
}

export function appends(flags: number): boolean {
  return (flags & O_APPEND) !== 0;
}

export interface FileOptions {
  encoding?: BufferEncoding | null;
  flag?: string | number;
  mode?: number;
  flush?: boolean;
  signal?: AbortSignal;
  /** Where its operations should go, see open(). Default: 'auto', or what the handle has. */
  engine?: EngineHint;
}

const FILE = optionNames<FileOptions>('readFile(), writeFile() and appendFile()', {
  encoding: true,
  flag: true,
  mode: true,
  flush: true,
  signal: true,
  engine: true,
});

/**
 * The options of readFile and writeFile when they are usual.
 * @throws TypeError ERR_RINGPOLL_UNKNOWN_OPTION
 */
export function usualFileOptions(options: unknown): FileOptions | undefined {
  if (options === undefined || options === null) return {};
  if (typeof options === 'string') return usualFileOptions({ encoding: options });
  if (typeof options !== 'object') return undefined;
  checkFileOptions(FILE, options);
  const { encoding, flag, mode, flush, signal } = options as Record<string, unknown>;
  const usual =
    (encoding === undefined || encoding === null || isEncoding(encoding)) &&
    (flag === undefined || flag === null || usualFlags(flag) !== undefined) &&
    usualMode(mode) !== undefined &&
    (flush === undefined || typeof flush === 'boolean') &&
    (signal === undefined || signal instanceof AbortSignal);
  return usual ? (options as FileOptions) : undefined;
}

function isEncoding(encoding: unknown): boolean {
  return typeof encoding === 'string' && Buffer.isEncoding(encoding);
}
