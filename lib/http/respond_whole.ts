// A whole response on its way to native code.
import { Respond } from '../runtime/protocol.js';
import type { Runtime } from '../runtime/runtime.js';
import { lengthOf, respondBytes, respondHead, respondText } from '../runtime/staging.js';
import type { Body } from './response_outlet.js';

const COMMAND_LENGTH_MAX = 2 ** 31 - 1;

/** Sends head and body in one command. When the body is too long for that, it is returned. */
export function respondWhole(
  runtime: Runtime,
  slot: number,
  generation: number,
  head: number,
  fields: string,
  body: Body,
): Uint8Array | undefined {
  let bytes: Uint8Array;
  if (typeof body === 'string') {
    if (respondText(runtime, slot, generation, head, fields, body)) return undefined;
    bytes = Buffer.from(body, 'utf8');
  } else {
    bytes = body;
  }
  if (respondBytes(runtime, slot, generation, head, fields, bytes)) return undefined;
  const length = lengthOf(bytes);
  const begun = head & ~Respond.last;
  if (length <= COMMAND_LENGTH_MAX) {
    respondHead(runtime, slot, generation, begun, fields, length);
  } else {
    const framed = `${fields}Content-Length: ${length}\r\n`;
    respondHead(runtime, slot, generation, begun | Respond.noLength, framed, 0);
  }
  return bytes;
}
