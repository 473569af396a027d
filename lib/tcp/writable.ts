// What write() and end() take.
import { isUint8Array } from 'node:util/types';
import { invalidArgType } from '../errors.js';
import { type Chunk, isForeignChunk } from './chunk.js';

/** What can be written. Strings are sent as UTF-8. */
export type Writable = string | Uint8Array | Chunk;

/** @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE */
export function checkWritable(name: string, data: unknown): void {
  if (typeof data === 'string' || isUint8Array(data) || isForeignChunk(data)) return;
  throw invalidArgType(name, 'a string, a Uint8Array or a Chunk', data);
}
