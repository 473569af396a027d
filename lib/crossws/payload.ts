// What may be given to send() and publish(), in the form that is sent.
import { isAnyArrayBuffer } from 'node:util/types';

/**
 * Bytes stay bytes; nothing is an empty text; numbers and plain objects are text, objects as JSON.
 * @throws TypeError for what cannot be sent: a function, a symbol, a Blob, an object with a class
 */
export function sendable(data: unknown): string | Uint8Array {
  if (typeof data === 'string') return data;
  if (data === undefined || data === null) return '';
  if (isAnyArrayBuffer(data)) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  if (typeof data === 'object' && isPlain(data)) return JSON.stringify(data);
  if (['number', 'boolean', 'bigint'].includes(typeof data)) return String(data);
  throw new TypeError(`What is sent must be text, bytes or a plain object, not ${typeof data}`);
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
