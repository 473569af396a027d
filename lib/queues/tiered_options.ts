// Options of tiered queues, checked.
import { Buffer } from 'node:buffer';
import { INT32_MAX, integer } from '../checks.js';
import { invalidArgType } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { checkRetries } from './attempts.js';

export interface TieredQueueOptions<T> {
  /** Takes items, the oldest first. What it throws, or rejects with, counts as a failure: then it
   * gets the same items again. */
  sink(items: T[], context: { attempt: number; signal: AbortSignal }): unknown;
  /** Where items lie for which there is no room in memory. One queue alone may use it. It is made
   * if need be. */
  folder: string;
  /** Items in memory; 0: each goes to the disk first. Default: 10,000. */
  memory?: number;
  /** Bytes on the disk, beyond which push() refuses. Default: 1 GB. */
  maxDiskBytes?: number;
  /** Bytes of one file. Default: 8 MB. */
  segmentBytes?: number;
  /** When the disk is told to keep what was written: 'always' before push() resolves, 'never', or
   * after so many milliseconds. Default: 1,000. */
  fsync?: 'always' | 'never' | number;
  /** Items that the sink gets at a time, at most. Default: 100. */
  batch?: number;
  /** Milliseconds before the sink gets the same items again; the last one goes on. Default:
   * [100, 400, 1,600]. */
  retries?: readonly number[];
  /** Milliseconds of an attempt. Then its signal aborts, and it counts as failed. Default:
   * 60,000. */
  timeout?: number;
  /** Whether to give items up after a failure. Default: none is. */
  drop?(items: T[], error: Error, attempt: number): boolean;
  /** Default: JSON. */
  encode?(item: T): Uint8Array;
  /** Default: JSON. */
  decode?(bytes: Uint8Array): T;
  /** Told of what the sink and the disk fail with. Default: of the disk a process warning. */
  error?(error: Error): unknown;
}

const OPTIONS = optionNames<TieredQueueOptions<unknown>>('TieredQueue', {
  ...{ sink: true, folder: true, memory: true, maxDiskBytes: true, segmentBytes: true },
  ...{ fsync: true, batch: true, retries: true, timeout: true, drop: true, encode: true },
  ...{ decode: true, error: true },
});
const DISK_BYTES = 2 ** 30;
const SEGMENT_BYTES = 8 * 2 ** 20;
const SYNC_MS = 1000;

export interface CheckedTiered<T> {
  sink: TieredQueueOptions<T>['sink'];
  folder: string;
  memory: number;
  maxDiskBytes: number;
  segmentBytes: number;
  syncMs: number | undefined;
  batch: number;
  retries: readonly number[];
  timeoutMs: number;
  drop: (items: T[], error: Error, attempt: number) => boolean;
  encode: (item: T) => Uint8Array;
  decode: (bytes: Uint8Array) => T;
  error: ((error: Error) => unknown) | undefined;
}

/** @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE, _UNKNOWN_OPTION */
export function checkTiered<T>(options: TieredQueueOptions<T>): CheckedTiered<T> {
  checkOptions(OPTIONS, options);
  const { sink, folder, drop = () => false, error } = options;
  const { encode = asJson, decode = fromJson<T> } = options;
  for (const [name, value] of Object.entries({ sink, drop, encode, decode, error })) {
    if (typeof value === 'function' || (name === 'error' && value === undefined)) continue;
    throw invalidArgType(`options.${name}`, 'a function', value);
  }
  if (typeof folder !== 'string' || folder === '') {
    throw invalidArgType('options.folder', 'a path', folder);
  }
  const { retries: given } = options;
  if (given !== undefined && (!Array.isArray(given) || given.length === 0)) {
    throw invalidArgType('options.retries', 'an array that is not empty', given);
  }
  const count = (name: keyof TieredQueueOptions<T>, min: number, otherwise: number) =>
    integer(`options.${name}`, options[name], min, Number.MAX_SAFE_INTEGER, otherwise);
  return {
    ...{ sink, folder, drop, encode, decode, error },
    memory: count('memory', 0, 10_000),
    maxDiskBytes: count('maxDiskBytes', 0, DISK_BYTES),
    segmentBytes: count('segmentBytes', 1, SEGMENT_BYTES),
    syncMs: syncOf(options.fsync),
    batch: count('batch', 1, 100),
    retries: checkRetries(given),
    timeoutMs: integer('options.timeout', options.timeout, 1, INT32_MAX, 60_000),
  };
}

function syncOf(fsync: unknown): number | undefined {
  if (fsync === 'always') return 0;
  if (fsync === 'never') return undefined;
  if (typeof fsync === 'string') {
    throw invalidArgType('options.fsync', "'always', 'never' or milliseconds", fsync);
  }
  return integer('options.fsync', fsync, 1, INT32_MAX, SYNC_MS);
}

function asJson(item: unknown): Uint8Array {
  const text = JSON.stringify(item) as string | undefined;
  if (text === undefined) throw invalidArgType('item', 'what JSON can say', item);
  return Buffer.from(text);
}

function fromJson<T>(bytes: Uint8Array): T {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) as T;
}
