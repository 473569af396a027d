// The opening handshake from the server's side: RFC 6455, section 4.2.
import { crypto } from '../builtins.js';

const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** 16 bytes in Base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
export const VERSION = '13';

/** What Sec-WebSocket-Accept says to a key. */
export function acceptOf(key: string): string {
  // In one call: with an object for each hash it takes about twice as long.
  return crypto().hash('sha1', key + ACCEPT_SUFFIX, 'base64');
}

/** What a request must have to be a handshake. */
export interface HandshakeFields {
  method: string;
  key: string | undefined;
  version: string | undefined;
}

/** Undefined: it is one. Otherwise the status that refuses it. */
export function refusalOf({ method, key, version }: HandshakeFields): 400 | 426 | undefined {
  if (method !== 'GET' || key === undefined) return 400;
  // Section 4.4: the answer names the version that is spoken here.
  if (version !== VERSION) return 426;
  return KEY.test(key) ? undefined : 400;
}
