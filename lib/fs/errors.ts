// Errors of operations on files, in the shape that node:fs/promises gives them.
import { util } from '../builtins.js';

export interface FileError extends Error {
  errno: number;
  code: string;
  syscall: string;
  path?: string;
  dest?: string;
}

/** `errno` is negative, as Node has it. */
export function fileError(
  errno: number,
  syscall: string,
  ofPath?: string,
  ofDest?: string,
): FileError {
  const path = asTheKernelHadIt(ofPath);
  const dest = asTheKernelHadIt(ofDest);
  const [code, text] = util().getSystemErrorMap().get(errno) ?? [`E${-errno}`, 'unknown error'];
  const from = path === undefined ? '' : ` '${path}'`;
  const to = dest === undefined ? '' : ` -> '${dest}'`;
  const error = new Error(`${code}: ${text}, ${syscall}${from}${to}`) as FileError;
  error.errno = errno;
  error.code = code;
  error.syscall = syscall;
  if (path !== undefined) error.path = path;
  if (dest !== undefined) error.dest = dest;
  return error;
}

/** Half a surrogate pair is no text: it went to the kernel as U+FFFD. */
function asTheKernelHadIt(path: string | undefined): string | undefined {
  return path === undefined ? undefined : Buffer.from(path).toString();
}

/** The handle was closed before. */
export function closedFileError(syscall: string): Error {
  return Object.assign(new Error('file closed'), { code: 'EBADF', syscall });
}

class AbortError extends Error {
  readonly code = 'ABORT_ERR';

  constructor(cause: unknown) {
    super('The operation was aborted', { cause });
    this.name = 'AbortError';
  }
}

export function abortError(signal: AbortSignal): Error {
  return new AbortError(signal.reason);
}

export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}

/** The one complaint of node:fs/promises that the form with callbacks does not share. */
export function checkNotNegative(name: string, value: unknown): void {
  if (typeof value !== 'number' || !(value < 0)) return;
  const message = `The value of "${name}" is out of range. It must be >= 0. Received ${value}`;
  throw Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' });
}
