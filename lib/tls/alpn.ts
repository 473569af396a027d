// Names of application protocols, as they stand in the ClientHello: each with its length before it.
import { invalidArgType, invalidArgValue, outOfRange } from '../errors.js';

const NAME_BYTES_MAX = 255;
/** What the extension's length can say. */
const LIST_BYTES_MAX = 65_535;

/** Empty when there are none. A list that is bytes already is taken as node:tls takes it. */
export function checkAlpn(name: string, value: unknown): Uint8Array {
  if (value === undefined) return new Uint8Array(0);
  const wire = value instanceof Uint8Array ? checkWire(name, value) : encode(name, value);
  if (wire.byteLength > LIST_BYTES_MAX) {
    throw outOfRange(`${name}.length`, `at most ${LIST_BYTES_MAX} bytes`, wire.byteLength);
  }
  return wire;
}

function encode(name: string, value: unknown): Uint8Array {
  if (!Array.isArray(value)) throw invalidArgType(name, 'an array of names', value);
  const parts = value.map((each, i) => {
    const path = `${name}[${i}]`;
    if (typeof each !== 'string') throw invalidArgType(path, 'a string', each);
    const bytes = Buffer.from(each);
    if (bytes.byteLength === 0 || bytes.byteLength > NAME_BYTES_MAX) {
      throw outOfRange(path, `1 to ${NAME_BYTES_MAX} bytes long`, each);
    }
    return Buffer.concat([Buffer.of(bytes.byteLength), bytes]);
  });
  return Buffer.concat(parts);
}

function checkWire(name: string, wire: Uint8Array): Uint8Array {
  let at = 0;
  while (at < wire.byteLength && wire[at] !== 0) at += 1 + wire[at];
  if (at === wire.byteLength) return wire;
  throw invalidArgValue(name, 'names with a byte of their length before each', wire);
}
