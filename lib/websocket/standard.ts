// The WebSocket of the web platform (https://websockets.spec.whatwg.org), on a client of ours.
import { Blob } from 'node:buffer';
import { toUSVString } from 'node:util';
import { isAnyArrayBuffer } from 'node:util/types';
import { TOKEN } from '../token.js';
import { CloseEvent } from './close_event.js';
import { defineHandlers } from './event_handlers.js';
import { beginStandard, type StandardLink, type StandardOptions } from './standard_link.js';

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

const NORMAL = 1000;
const ABNORMAL = 1006;
const REASON_BYTES_MAX = 123;
const CODE_MAX = 65_535;

export type BinaryType = 'blob' | 'arraybuffer';

/** What may stand in the place of the subprotocols; the browser's class has no such thing. */
export interface WebSocketInit extends StandardOptions {
  protocols?: string | string[];
}

/**
 * The standard's class: events, `binaryType`, `readyState`, `bufferedAmount` and close codes are as
 * in a browser. What a browser forbids for the sake of its pages (blocked ports, mixed content) is
 * allowed here, and redirects are not followed. The second argument may be an object with
 * `protocols`, `headers` and other options of connectWebSocket().
 * @throws DOMException SyntaxError for a URL or a subprotocol that makes no sense
 */
export class WebSocket extends EventTarget {
  declare static readonly CONNECTING: 0;
  declare static readonly OPEN: 1;
  declare static readonly CLOSING: 2;
  declare static readonly CLOSED: 3;
  declare readonly CONNECTING: 0;
  declare readonly OPEN: 1;
  declare readonly CLOSING: 2;
  declare readonly CLOSED: 3;
  declare onopen: ((this: WebSocket, event: Event) => unknown) | null;
  declare onmessage: ((this: WebSocket, event: MessageEvent) => unknown) | null;
  declare onerror: ((this: WebSocket, event: Event) => unknown) | null;
  declare onclose: ((this: WebSocket, event: CloseEvent) => unknown) | null;

  readonly #url: string;
  readonly #origin: string;
  readonly #link: StandardLink;
  #state: 0 | 1 | 2 | 3 = CONNECTING;
  #protocol = '';
  #extensions = '';
  #binaryType: BinaryType = 'blob';
  /** Bytes of Blobs that are still being read, and messages behind them. */
  #unread = 0;
  #reading: Promise<void> | undefined;
  /** Bytes that were given to send() when nothing could leave any more. */
  #lost = 0;

  constructor(url: string | URL, protocols: string | string[] | WebSocketInit = []) {
    super();
    // biome-ignore lint/complexity/noArguments: undefined is an argument too
    if (arguments.length === 0) throw new TypeError("WebSocket needs the argument 'url'");
    const { protocols: asked = [], ...options } = initOf(protocols);
    const parsed = parseUrl(toUSVString(String(url)));
    const names = (typeof asked === 'string' ? [asked] : [...asked]).map(String);
    checkProtocols(names);
    this.#url = parsed.href;
    this.#origin = `${parsed.protocol}//${parsed.host}`;
    this.#link = beginStandard(parsed, names, options, {
      opened: (protocol, extensions) => this.#opened(protocol, extensions),
      text: (text) => this.#deliver(text),
      binary: (bytes) => this.#deliver(this.#binaryOf(bytes)),
      closing: () => this.#closing(),
      closed: (code, reason, wasClean) => this.#closed(code, reason, wasClean),
    });
  }

  get url(): string {
    return this.#url;
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this.#state;
  }

  /** Payload bytes that send() got and the network has not; what waits when it is closed stays. */
  get bufferedAmount(): number {
    return this.#link.waiting() + this.#unread + this.#lost;
  }

  get protocol(): string {
    return this.#protocol;
  }

  get extensions(): string {
    return this.#extensions;
  }

  /** What binary messages are given as. Another value than these two changes nothing. */
  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  set binaryType(value: BinaryType) {
    if (value === 'blob' || value === 'arraybuffer') this.#binaryType = value;
  }

  /**
   * Queues a message. Views are copied; a Blob is read first, and what follows waits for it.
   * @throws DOMException InvalidStateError while it connects
   */
  send(data: string | ArrayBufferLike | ArrayBufferView | Blob): void {
    // biome-ignore lint/complexity/noArguments: undefined is an argument too
    if (arguments.length === 0) throw new TypeError("send() needs the argument 'data'");
    const message = messageOf(data);
    if (this.#state === CONNECTING) {
      throw new DOMException('The connection is not open yet', 'InvalidStateError');
    }
    if (message instanceof Blob) this.#sendLater(message.size, () => message.arrayBuffer());
    else if (this.#reading === undefined) this.#sendNow(message);
    else this.#sendLater(lengthOf(message), async () => message);
  }

  /**
   * Begins the closing handshake, or gives the connection up when there is none yet.
   * @throws DOMException InvalidAccessError for a code other than 1000 and 3000 to 4999,
   *   SyntaxError for a reason of more than 123 bytes
   */
  close(code?: number, reason?: string): void {
    const clamped = code === undefined ? undefined : clamp(code);
    if (clamped !== undefined && clamped !== NORMAL && !(clamped >= 3000 && clamped <= 4999)) {
      const text = `The code must be 1000 or from 3000 to 4999, not ${clamped}`;
      throw new DOMException(text, 'InvalidAccessError');
    }
    const text = reason === undefined ? '' : toUSVString(String(reason));
    if (Buffer.byteLength(text) > REASON_BYTES_MAX) {
      throw new DOMException(`The reason is longer than ${REASON_BYTES_MAX} bytes`, 'SyntaxError');
    }
    if (this.#state >= CLOSING) return;
    const wasOpen = this.#state === OPEN;
    this.#state = CLOSING;
    if (!wasOpen) {
      this.#link.abort();
      return;
    }
    const close = () => this.#link.close(clamped ?? (text === '' ? undefined : NORMAL), text);
    if (this.#reading === undefined) close();
    else this.#reading = this.#reading.then(close);
  }

  #opened(protocol: string, extensions: string): void {
    if (this.#state !== CONNECTING) return;
    this.#state = OPEN;
    this.#protocol = protocol;
    this.#extensions = extensions;
    this.dispatchEvent(new Event('open'));
  }

  #deliver(data: unknown): void {
    if (this.#state !== OPEN) return;
    this.dispatchEvent(new MessageEvent('message', { data, origin: this.#origin }));
  }

  #binaryOf(bytes: Uint8Array): Blob | ArrayBuffer {
    if (this.#binaryType === 'blob') return new Blob([bytes]);
    // What lies in the arena is good for this turn alone.
    const copy = new Uint8Array(bytes.length);
    copy.set(bytes);
    return copy.buffer;
  }

  #closing(): void {
    if (this.#state < CLOSING) this.#state = CLOSING;
  }

  #closed(code: number, reason: string, wasClean: boolean): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    if (!wasClean && code === ABNORMAL) this.dispatchEvent(new Event('error'));
    this.dispatchEvent(new CloseEvent('close', { wasClean, code, reason }));
  }

  #sendNow(message: string | Uint8Array): void {
    if (this.#state === OPEN) this.#link.send(message);
    else this.#lost += lengthOf(message);
  }

  #sendLater(bytes: number, read: () => Promise<string | ArrayBuffer | Uint8Array>): void {
    if (this.#state !== OPEN) {
      this.#lost += bytes;
      return;
    }
    this.#unread += bytes;
    const before = this.#reading;
    const reading = (async () => {
      await before;
      const message = await read();
      this.#unread -= bytes;
      const whole = isAnyArrayBuffer(message) ? new Uint8Array(message) : message;
      // A close() that came behind it waits for it, so it is sent although the state says closing.
      if (this.#state === CLOSED) this.#lost += bytes;
      else this.#link.send(whole as string | Uint8Array);
    })();
    this.#reading = reading;
    const done = () => {
      if (this.#reading === reading) this.#reading = undefined;
    };
    reading.then(done, done);
  }
}

const STATES = { CONNECTING, OPEN, CLOSING, CLOSED };
for (const [name, value] of Object.entries(STATES)) {
  for (const where of [WebSocket, WebSocket.prototype]) {
    Object.defineProperty(where, name, { value, enumerable: true });
  }
}
const MEMBERS = [
  ...['url', 'readyState', 'bufferedAmount', 'protocol', 'extensions', 'binaryType'],
  ...['send', 'close'],
];
for (const name of MEMBERS) Object.defineProperty(WebSocket.prototype, name, { enumerable: true });
Object.defineProperty(WebSocket.prototype, Symbol.toStringTag, {
  value: 'WebSocket',
  configurable: true,
});
defineHandlers(WebSocket.prototype, ['open', 'message', 'error', 'close'], (receiver) => {
  if (!(receiver instanceof WebSocket)) throw new TypeError('Illegal invocation');
});

function initOf(given: string | string[] | WebSocketInit): WebSocketInit {
  if (typeof given !== 'object' || given === null) return { protocols: String(given) };
  return Symbol.iterator in given ? { protocols: [...given] } : given;
}

const SCHEMES: Readonly<Record<string, string>> = {
  'ws:': 'ws:',
  'wss:': 'wss:',
  'http:': 'ws:',
  'https:': 'wss:',
};

function parseUrl(text: string): URL {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = parsed && SCHEMES[parsed.protocol];
  if (parsed === undefined || scheme === undefined) {
    throw new DOMException(`${JSON.stringify(text)} is no URL of a WebSocket`, 'SyntaxError');
  }
  if (parsed.href.includes('#')) {
    throw new DOMException('The URL has a fragment', 'SyntaxError');
  }
  parsed.protocol = scheme;
  return parsed;
}

function checkProtocols(names: readonly string[]): void {
  const wrong = names.find((name) => !TOKEN.test(name));
  if (wrong !== undefined) {
    throw new DOMException(`${JSON.stringify(wrong)} is no subprotocol`, 'SyntaxError');
  }
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length) {
    throw new DOMException('A subprotocol is named twice', 'SyntaxError');
  }
}

/** [Clamp] unsigned short of Web IDL. */
function clamp(code: unknown): number {
  const number = Number(code);
  if (Number.isNaN(number)) return 0;
  const limited = Math.min(CODE_MAX, Math.max(0, number));
  const floor = Math.floor(limited);
  const rest = limited - floor;
  if (rest !== 0.5) return Math.round(limited);
  return floor % 2 === 0 ? floor : floor + 1;
}

function messageOf(data: unknown): string | Uint8Array | Blob {
  if (data instanceof Blob) return data;
  if (isAnyArrayBuffer(data)) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  return toUSVString(String(data));
}

const lengthOf = (message: string | Uint8Array): number =>
  typeof message === 'string' ? Buffer.byteLength(message) : message.length;
