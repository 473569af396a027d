// The arguments of FileHandle's read and write, in their usual forms; see arguments.ts.
import { invalidArgType } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { bytesOf, usualPosition } from './arguments.js';
import type { EngineHint } from './routes.js';
import type { Transfer } from './transfer.js';

const READ_BYTES_DEFAULT = 16 * 1024;

export interface TransferOptions {
  /** Where in the buffer; 0. */
  offset?: number | null;
  /** Bytes; what is left of the buffer. */
  length?: number | null;
  /** Where in the file; null: where the descriptor stands, which moves on. */
  position?: number | bigint | null;
  /** Where this call should go, see open(). Default: what the handle was opened with. */
  engine?: EngineHint;
  /**
   * Aborts the call: it rejects with an AbortError, and the kernel is told to let go. What the
   * kernel does not let go of ends first, and resolves.
   */
  signal?: AbortSignal;
}

interface Parameters {
  buffer?: unknown;
  offset?: unknown;
  length?: unknown;
  position?: unknown;
  engine?: unknown;
  signal?: unknown;
}

const READ = optionNames<TransferOptions & { buffer?: unknown }>(
  'read()',
  { buffer: true, offset: true, length: true, position: true, engine: true, signal: true },
  { start: 'position', end: 'length', size: 'length' },
);
const WRITE = optionNames<TransferOptions>(
  'write()',
  { offset: true, length: true, position: true, engine: true, signal: true },
  { start: 'position', end: 'length', size: 'length' },
);

/** What was asked for, and the buffer as it was given. */
export interface Request extends Transfer {
  buffer: NodeJS.ArrayBufferView;
  /** This call's own; undefined: the handle's. */
  engine: unknown;
  signal: AbortSignal | undefined;
}

const isObject = (value: unknown): value is Parameters =>
  typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);

/**
 * The signal of a call, which its options have, in whatever form its other arguments are.
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE
 */
export function signalOf(...args: unknown[]): AbortSignal | undefined {
  return args.filter(isObject).map(checkedSignal).find(Boolean);
}

function checkedSignal({ signal }: Parameters): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw invalidArgType('options.signal', 'an AbortSignal', signal);
}

/**
 * read(buffer, offset, length, position), read(buffer, options), read(options).
 * @throws TypeError ERR_RINGPOLL_UNKNOWN_OPTION, ERR_RINGPOLL_INVALID_ARG_TYPE
 */
export function readRequest(
  first: unknown,
  offset: unknown,
  length: unknown,
  position: unknown,
): Request | undefined {
  const options = ArrayBuffer.isView(first) ? offset : first;
  if (isObject(options)) checkOptions(READ, options);
  if (ArrayBuffer.isView(first)) {
    return isObject(offset)
      ? toRequest({ ...offset, buffer: first })
      : toRequest({ buffer: first, offset, length, position });
  }
  if (first !== undefined && first !== null && !isObject(first)) return undefined;
  return toRequest({ buffer: Buffer.alloc(READ_BYTES_DEFAULT), ...defined(first ?? {}) });
}

/**
 * write(buffer, offset, length, position) and write(buffer, options).
 * @throws TypeError ERR_RINGPOLL_UNKNOWN_OPTION, ERR_RINGPOLL_INVALID_ARG_TYPE
 */
export function writeRequest(
  buffer: unknown,
  offset: unknown,
  length: unknown,
  position: unknown,
): Request | undefined {
  if (!ArrayBuffer.isView(buffer)) return undefined;
  if (isObject(offset)) {
    checkOptions(WRITE, offset);
    return toRequest({ ...offset, buffer });
  }
  // Node takes what is no number for "not given" here.
  return toRequest({
    buffer,
    offset,
    length: typeof length === 'number' ? length : undefined,
    position: typeof position === 'number' ? position : undefined,
  });
}

function defined(parameters: Parameters): Parameters {
  return parameters.buffer === undefined
    ? {
        offset: parameters.offset,
        length: parameters.length,
        position: parameters.position,
        engine: parameters.engine,
        signal: parameters.signal,
      }
    : parameters;
}

function toRequest(parameters: Parameters): Request | undefined {
  const { buffer, offset, length, position, engine } = parameters;
  const signal = checkedSignal(parameters);
  if (!ArrayBuffer.isView(buffer)) return undefined;
  const from = offset ?? 0;
  const count = length ?? buffer.byteLength - (from as number);
  const place = usualPosition(position);
  const usual =
    Number.isInteger(from) &&
    Number.isInteger(count) &&
    place !== undefined &&
    (from as number) >= 0 &&
    (count as number) > 0 &&
    (from as number) + (count as number) <= buffer.byteLength;
  if (!usual) return undefined;
  return {
    buffer: buffer as NodeJS.ArrayBufferView,
    bytes: bytesOf(buffer),
    offset: from as number,
    length: count as number,
    position: place,
    engine,
    signal,
  };
}
