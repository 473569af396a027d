// The keys of session tickets, as node:tls has them: 48 bytes each.
import { invalidSecretType, outOfRange } from '../errors.js';

/** native/core/tls/ticket_keys.h. */
const KEY_BYTES = 48;
const KEYS_MAX = 16;

/** All of them, one behind the other. */
export function checkTicketKeys(name: string, value: unknown): Uint8Array {
  const keys: unknown[] = Array.isArray(value) ? value : [value];
  if (keys.length === 0 || keys.length > KEYS_MAX) {
    throw outOfRange(`${name}.length`, `1 to ${KEYS_MAX}`, keys.length);
  }
  const checked = keys.map((key, i) => {
    const path = Array.isArray(value) ? `${name}[${i}]` : name;
    if (!(key instanceof Uint8Array)) {
      throw invalidSecretType(path, `a Uint8Array of ${KEY_BYTES} bytes`, key);
    }
    if (key.byteLength !== KEY_BYTES) {
      throw outOfRange(`${path}.length`, `${KEY_BYTES} bytes`, key.byteLength);
    }
    return key;
  });
  return Buffer.concat(checked);
}
