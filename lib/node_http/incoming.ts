// http.IncomingMessage: Node's own, and requests that are served natively. Those run no constructor
// of Node's. What they have of a stream is made when somebody first touches it.
import { EventEmitter } from 'node:events';
import http from 'node:http';
import { Readable } from 'node:stream';
import { distinctOf, fieldsOf, type Headers } from './fields.js';
import {
  DESTROYED,
  HEADERS,
  KEEPS,
  PIECES,
  RAW_HEADERS,
  SECTION,
  SESSION,
  STREAMS,
  TRAILERS,
} from './names.js';
import type { Section } from './section.js';

type Stock = http.IncomingMessage;
type Listener = (...args: unknown[]) => void;

/** What a request asks of its connection. */
export interface RequestHome {
  /** The socket as Node's programs know it; made at the first call. */
  readonly socket: object;
  readonly joinDuplicateHeaders: boolean;
  readonly readableHighWaterMark: number;
  /** The body may go on coming. */
  resumeBody(): void;
  pauseBody(): void;
}

/** A request that is served natively. */
export interface NativeRequest extends Stock {
  [SESSION]: RequestHome;
  [SECTION]: Section;
  [HEADERS]: Headers | undefined;
  [RAW_HEADERS]: string[] | undefined;
  [TRAILERS]: string[] | undefined;
  [PIECES]: Buffer[] | undefined;
  [STREAMS]: boolean;
  [DESTROYED]: boolean;
  [KEEPS]: boolean;
  _consuming: boolean;
  _dumped: boolean;
  _events: object | undefined;
  _eventsCount: number;
  _readableState: { readingMore: boolean; resumeScheduled: boolean };
  _dump(): void;
  upgrade: boolean;
}

const StockIncomingMessage = http.IncomingMessage;
const stock = StockIncomingMessage.prototype as unknown as Record<string, unknown>;

/** Called with and without `new`, as Node's is. */
export function IncomingMessage(this: unknown, socket: unknown): void {
  Reflect.apply(StockIncomingMessage as unknown as () => void, this, [socket]);
}
Object.setPrototypeOf(IncomingMessage, StockIncomingMessage);
IncomingMessage.prototype = Object.create(StockIncomingMessage.prototype, {
  constructor: { value: IncomingMessage, writable: true, configurable: true },
});
// Responses that a client gets are made of Node's class.
Object.defineProperty(IncomingMessage, Symbol.hasInstance, {
  value(this: unknown, value: unknown) {
    if (this === IncomingMessage && value instanceof StockIncomingMessage) return true;
    return Reflect.apply(Function.prototype[Symbol.hasInstance], this, [value]);
  },
});

const proto = IncomingMessage.prototype as NativeRequest;

function own(target: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(target, name, {
    ...{ value, writable: true, enumerable: true, configurable: true },
  });
}

interface Pair {
  get(this: NativeRequest): unknown;
  set?(this: NativeRequest, value: unknown): void;
}

/** `native` answers for requests that are served natively, and what Node has for all others. */
function accessor(name: string, native: Pair, from: object = stock): void {
  let holder: object | null = from;
  let known: PropertyDescriptor | undefined;
  while (holder !== null && known === undefined) {
    known = Object.getOwnPropertyDescriptor(holder, name);
    holder = Object.getPrototypeOf(holder);
  }
  Object.defineProperty(proto, name, {
    configurable: true,
    enumerable: known?.enumerable ?? true,
    get(this: NativeRequest) {
      if (this[SESSION] !== undefined) return native.get.call(this);
      return known?.get === undefined ? known?.value : known.get.call(this);
    },
    set(this: NativeRequest, value: unknown) {
      if (this[SESSION] !== undefined && native.set !== undefined) native.set.call(this, value);
      else if (known?.set !== undefined) known.set.call(this, value);
      else own(this, name, value);
    },
  });
}

accessor('headers', {
  get() {
    this[HEADERS] ??= this[SECTION].headers(this[SESSION].joinDuplicateHeaders);
    return this[HEADERS];
  },
  set(value) {
    this[HEADERS] = value as Headers;
  },
});
accessor('headersDistinct', {
  get() {
    const value = distinctOf(this.rawHeaders);
    own(this, 'headersDistinct', value);
    return value;
  },
  set(value) {
    own(this, 'headersDistinct', value);
  },
});
accessor('rawHeaders', {
  get() {
    this[RAW_HEADERS] ??= this[SECTION].rawHeaders();
    return this[RAW_HEADERS];
  },
  set(value) {
    this[RAW_HEADERS] = value as string[];
  },
});
accessor('rawTrailers', {
  get() {
    this[TRAILERS] ??= [];
    return this[TRAILERS];
  },
  set(value) {
    this[TRAILERS] = value as string[];
  },
});
accessor('trailers', {
  get() {
    const value = fieldsOf(this.rawTrailers, this[SESSION].joinDuplicateHeaders);
    if (this.complete) own(this, 'trailers', value);
    return value;
  },
  set(value) {
    own(this, 'trailers', value);
  },
});
accessor('trailersDistinct', {
  get() {
    const value = distinctOf(this.rawTrailers);
    if (this.complete) own(this, 'trailersDistinct', value);
    return value;
  },
  set(value) {
    own(this, 'trailersDistinct', value);
  },
});
const socket: Pair = {
  get() {
    return this[SESSION].socket;
  },
};
accessor('socket', socket);
accessor('client', socket);

// What nobody has read answers these without a stream.
const unread: Record<string, (request: NativeRequest) => unknown> = {
  destroyed: (request) => request[DESTROYED],
  readable: (request) => !request[DESTROYED],
  readableEnded: () => false,
  readableAborted: (request) => request[DESTROYED],
  readableDidRead: () => false,
  readableFlowing: () => null,
  readableLength: (request) => request[PIECES]?.reduce((sum, { length }) => sum + length, 0) ?? 0,
  readableEncoding: () => null,
  readableObjectMode: () => false,
  errored: () => null,
  closed: (request) => request[DESTROYED],
};
for (const [name, answer] of Object.entries(unread)) {
  const known = Object.getOwnPropertyDescriptor(Readable.prototype, name);
  if (known?.get === undefined) continue;
  const { get, set } = known;
  Object.defineProperty(proto, name, {
    configurable: true,
    enumerable: known.enumerable,
    get(this: NativeRequest) {
      return this[SESSION] === undefined || this[STREAMS] ? get.call(this) : answer(this);
    },
    set(this: NativeRequest, value: unknown) {
      set?.call(this, value);
    },
  });
}

Object.defineProperty(proto, '_readableState', {
  configurable: true,
  enumerable: false,
  get(this: NativeRequest) {
    if (this[SESSION] === undefined) return undefined;
    makeStream(this);
    return this._readableState;
  },
  set(this: NativeRequest, value: unknown) {
    own(this, '_readableState', value);
  },
});

/** From here on it is a stream of Node's, with what has come so far. */
export function makeStream(request: NativeRequest): void {
  if (request[STREAMS]) return;
  request[STREAMS] = true;
  const { readableHighWaterMark } = request[SESSION];
  Reflect.apply(Readable as unknown as () => void, request, [
    { highWaterMark: readableHighWaterMark },
  ]);
  request._readableState.readingMore = true;
  const pieces = request[PIECES];
  request[PIECES] = undefined;
  if (pieces !== undefined) for (const piece of pieces) request.push(piece);
  if (request.complete && !request.upgrade) request.push(null);
  if (request[DESTROYED]) request.destroy();
}

const emitter = EventEmitter.prototype as unknown as Record<string, Listener>;
/** Does what an emitter does; the stream need not know of listeners for other events than these. */
function withoutStream(name: string, needsStream: (event: unknown) => boolean): void {
  const plain = emitter[name];
  const streaming = stock[name] as Listener;
  own(proto, name, function call(this: NativeRequest, ...args: unknown[]): unknown {
    const lazy = this[SESSION] !== undefined && !this[STREAMS] && !needsStream(args[0]);
    return Reflect.apply(lazy ? plain : streaming, this, args);
  });
}
const isReading = (event: unknown) => event === 'data' || event === 'readable';
for (const name of ['on', 'addListener']) withoutStream(name, isReading);
for (const name of ['removeListener', 'off', 'removeAllListeners']) {
  withoutStream(name, () => false);
}

const stockRead = stock._read as (this: unknown, size: number) => void;
proto._read = function read(this: NativeRequest, size: number): void {
  if (this[SESSION] === undefined) {
    stockRead.call(this, size);
    return;
  }
  if (!this._consuming) {
    this._readableState.readingMore = false;
    this._consuming = true;
  }
  this[SESSION].resumeBody();
};

/** Of a request without its own: what Node's constructor would set. */
for (const [name, value] of Object.entries({
  httpVersionMajor: 1,
  httpVersionMinor: 1,
  httpVersion: '1.1',
  aborted: false,
  statusCode: null,
  statusMessage: null,
  joinDuplicateHeaders: false,
  _maxListeners: undefined,
})) {
  Object.defineProperty(proto, name, { value, writable: true, configurable: true });
}

// The same under symbols, of which later versions of Node have more.
const probe = new StockIncomingMessage(undefined as never) as unknown as Record<symbol, unknown>;
for (const key of Object.getOwnPropertySymbols(probe)) {
  const value = probe[key];
  if (key in proto || (typeof value === 'object' && value !== null)) continue;
  Object.defineProperty(proto, key, { value, writable: true, configurable: true });
}

function Native(
  this: NativeRequest,
  session: RequestHome,
  section: Section,
  method: string,
  url: string,
): void {
  this._events = undefined;
  this._eventsCount = 0;
  this[SESSION] = session;
  this[SECTION] = section;
  this[HEADERS] = undefined;
  this[RAW_HEADERS] = undefined;
  this[TRAILERS] = undefined;
  this[PIECES] = undefined;
  this[STREAMS] = false;
  this[DESTROYED] = false;
  this[KEEPS] = true;
  this.complete = false;
  this.url = url;
  this.method = method;
  this.upgrade = false;
  this._consuming = false;
  this._dumped = false;
}
Native.prototype = proto;

export const NativeRequest = Native as unknown as new (
  session: RequestHome,
  section: Section,
  method: string,
  url: string,
) => NativeRequest;

/** A piece of its body has come: bytes of its own. */
export function pushBody(request: NativeRequest, bytes: Buffer): void {
  if (request._dumped) return;
  if (request[STREAMS]) {
    if (!request.push(bytes)) request[SESSION].pauseBody();
    return;
  }
  request[PIECES] ??= [];
  request[PIECES].push(bytes);
  if (request.readableLength >= request[SESSION].readableHighWaterMark) {
    request[SESSION].pauseBody();
  }
}

export function endBody(request: NativeRequest): void {
  request.complete = true;
  if (request[STREAMS]) request.push(null);
}

/** Its response has ended: nobody will read what has not been read. */
export function dump(request: NativeRequest): void {
  if (request._consuming || request._dumped) return;
  if (!request[STREAMS]) {
    if (request._eventsCount === 0) {
      request._dumped = true;
      request[PIECES] = undefined;
      if (!request.complete) request[SESSION].resumeBody();
      return;
    }
    makeStream(request);
  }
  if (!request._readableState.resumeScheduled) request._dump();
}

/** Its connection is over. */
export function abortRequest(request: NativeRequest): void {
  if (request[STREAMS] || request._eventsCount > 0) {
    makeStream(request);
    const reason = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
    request.destroy(reason);
    return;
  }
  request.aborted = true;
  request[DESTROYED] = true;
  request[PIECES] = undefined;
}
