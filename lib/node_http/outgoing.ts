// http.ServerResponse: Node's own, and responses that are served natively. Those run no constructor
// of Node's. A response that is ended with all of its body at once is written here; for all else
// Node's methods write to the socket.
import { EventEmitter } from 'node:events';
import http from 'node:http';
import { isUint8Array } from 'node:util/types';
import { checkField, composeHead, OutFields, statusLine } from './head_text.js';
import type { NativeRequest } from './incoming.js';
import type { Measured } from './measured.js';
import { ASSIGNED, MEASURED, SESSION } from './names.js';
import { findSeams, type Seams, stockResponse } from './seams.js';
import type { NodeSocket } from './socket.js';

export const seams = findSeams();
const { capture, outHeaders, needDrain, rejectBodies, highWaterMark, uniqueHeaders } = (
  typeof seams === 'string' ? {} : seams
) as Seams;

/** What a response asks of its connection. */
export interface ResponseHome {
  /** Made at the first call. */
  readonly socket: NodeSocket;
  /** The socket, if it has been made. */
  readonly madeSocket: NodeSocket | undefined;
  readonly writableHighWaterMark: number;
  /** Whether all of a response may be given to the connection now. */
  readonly writesAtOnce: boolean;
  /** Queues a head in Latin-1 and a body, which may be empty. */
  sendWhole(head: string, body: string | Uint8Array): void;
  /** All of it has been given to the connection, or to the socket. */
  responseGiven(response: NativeResponse, told: boolean): void;
  /** Bytes (or characters) wait for the responses before it. */
  waits(length: number): void;
}

/** A response that is served natively. */
export interface NativeResponse extends http.ServerResponse {
  [SESSION]: ResponseHome;
  [ASSIGNED]: boolean;
  [MEASURED]: Measured | undefined;
  req: NativeRequest & http.IncomingMessage;
  _events: object | undefined;
  _eventsCount: number;
  _header: string | null;
  _headerSent: boolean;
  _hasBody: boolean;
  _trailer: string;
  _contentLength: number | null;
  _last: boolean;
  _closed: boolean;
  _expect_continue: boolean;
  _sent100: boolean;
  _keepAliveTimeout: number;
  _maxRequestsPerSocket: number;
  maxRequestsOnConnectionReached: boolean;
  outputData: unknown[];
  destroyed: boolean;
  finished: boolean;
  _implicitHeader(): void;
  _storeHeader(firstLine: string, fields: unknown): void;
  _finish(): void;
  _flush(): void;
}

const StockServerResponse = http.ServerResponse;
const stock = StockServerResponse.prototype as unknown as NativeResponse &
  Record<string, (...args: unknown[]) => unknown>;

/** Called with and without `new`, as Node's is. */
export function ServerResponse(this: unknown, ...args: unknown[]): void {
  Reflect.apply(StockServerResponse as unknown as () => void, this, args);
}
Object.setPrototypeOf(ServerResponse, StockServerResponse);
ServerResponse.prototype = Object.create(StockServerResponse.prototype, {
  constructor: { value: ServerResponse, writable: true, configurable: true },
});
// A server that is not served natively makes its responses of Node's class.
Object.defineProperty(ServerResponse, Symbol.hasInstance, {
  value(this: unknown, value: unknown) {
    if (this === ServerResponse && value instanceof StockServerResponse) return true;
    return Reflect.apply(Function.prototype[Symbol.hasInstance], this, [value]);
  },
});

const proto = ServerResponse.prototype as NativeResponse;

function own(target: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(target, name, {
    ...{ value, writable: true, enumerable: true, configurable: true },
  });
}

/** A list that few responses need is made when it is first asked for. */
function ownArray(key: PropertyKey): void {
  Object.defineProperty(proto, key, {
    configurable: true,
    enumerable: false,
    get(this: Record<PropertyKey, unknown>) {
      const list: unknown[] = [];
      own(this, key, list);
      return list;
    },
    set(this: object, value: unknown) {
      own(this, key, value);
    },
  });
}

// What Node's constructor sets on each response stands on the prototype: of most of them only few
// change.
if (typeof seams !== 'string') {
  const probe = stockResponse();
  for (const key of Reflect.ownKeys(probe)) {
    const value = probe[key as string];
    if (Array.isArray(value)) ownArray(key);
    if (typeof value === 'object' && value !== null) continue;
    if (key in proto && typeof key === 'string' && key === 'destroyed') continue;
    Object.defineProperty(proto, key, { value, writable: true, configurable: true });
  }
}
const emit = EventEmitter.prototype.emit;
/** What a response has for a mark when its server says nothing. */
export const markByDefault: number = (proto as unknown as Record<symbol, number>)[highWaterMark];
own(proto, MEASURED, undefined);
// Of what waits for the responses before it.
own(proto, '_onPendingData', function pending(this: NativeResponse, length: number): void {
  this[SESSION]?.waits(length);
});

/** From Node 22 on the socket is kept under a symbol, and Node's methods look there. */
const KEPT_SOCKET = Object.getOwnPropertySymbols(proto).find(
  ({ description }) => description === 'kSocket',
);
for (const key of KEPT_SOCKET === undefined ? ['socket'] : ['socket', KEPT_SOCKET]) {
  Object.defineProperty(proto, key, {
    configurable: true,
    enumerable: false,
    get(this: NativeResponse) {
      return this[SESSION] !== undefined && this[ASSIGNED] ? this[SESSION].socket : null;
    },
    set(this: NativeResponse, value: unknown) {
      if (KEPT_SOCKET !== undefined) own(this, KEPT_SOCKET, value);
      own(this, 'socket', value);
    },
  });
}

// Asking a response that has no socket yet must not make one.
for (const [name, answer] of Object.entries({
  writableLength: () => 0,
  writableFinished: (response: NativeResponse) => response.finished,
  writableCorked: () => 0,
  writableHighWaterMark: (response: NativeResponse) => response[SESSION].writableHighWaterMark,
})) {
  const known = Object.getOwnPropertyDescriptor(http.OutgoingMessage.prototype, name);
  if (known?.get === undefined) continue;
  const { get } = known;
  Object.defineProperty(proto, name, {
    configurable: true,
    get(this: NativeResponse) {
      const bare =
        this[SESSION] !== undefined && this[ASSIGNED] && this[SESSION].madeSocket === undefined;
      return bare ? answer(this) : get.call(this);
    },
  });
}

function Native(this: NativeResponse, request: NativeRequest, session: ResponseHome): void {
  this._events = undefined;
  this._eventsCount = 0;
  this[SESSION] = session;
  this[ASSIGNED] = false;
  this.req = request as NativeResponse['req'];
  this.statusCode = 200;
  this.statusMessage = undefined as never;
  this._header = null;
  this._headerSent = false;
  this._hasBody = request.method !== 'HEAD';
  this._contentLength = null;
  this._last = false;
  this._closed = false;
  this.destroyed = false;
  this.finished = false;
  this.shouldKeepAlive = true;
  this.sendDate = true;
  this._keepAliveTimeout = 0;
  (this as unknown as Record<symbol, unknown>)[outHeaders] = null;
  if (EventEmitter.captureRejections) (this as unknown as Record<symbol, unknown>)[capture] = true;
}
Native.prototype = proto;

export const NativeResponse = Native as unknown as new (
  request: NativeRequest,
  session: ResponseHome,
) => NativeResponse;

/** What few servers ask of their responses. */
export function configure(
  response: NativeResponse,
  unique: unknown,
  rejects: boolean,
  mark: number,
): void {
  const bag = response as unknown as Record<symbol, unknown>;
  if (unique != null) bag[uniqueHeaders] = unique;
  if (rejects) bag[rejectBodies] = true;
  bag[highWaterMark] = mark;
}

/** Whether somebody hears of what happens to it. */
export function isHeard(response: NativeResponse): boolean {
  return response._eventsCount > 0 || response.emit !== emit;
}

/** Behind it a head is Latin-1, as Node sends it. */
const NOTHING = new Uint8Array(0);

const NOT_ASCII = /[^\0-\x7f]/;

/** The one chunk of a body whose length its head does not say. */
function sendChunk(
  session: ResponseHome,
  head: string,
  chunk: string | Uint8Array | undefined | null,
): void {
  if (!chunk?.length) {
    session.sendWhole(`${head}0\r\n\r\n`, NOTHING);
  } else if (typeof chunk === 'string') {
    const size = Buffer.byteLength(chunk).toString(16);
    session.sendWhole(head, `${size}\r\n${chunk}\r\n0\r\n\r\n`);
  } else {
    session.sendWhole(`${head}${chunk.byteLength.toString(16)}\r\n`, chunk);
    session.sendWhole('\r\n0\r\n\r\n', NOTHING);
  }
}

type Fields = Record<symbol, OutFields | null>;

proto.setHeader = function setHeader(
  this: NativeResponse,
  name: string,
  value: number | string | readonly string[],
): NativeResponse {
  if (this[SESSION] === undefined || this._header !== null) {
    return stock.setHeader.call(this, name, value) as NativeResponse;
  }
  const key = checkField(name, value);
  const bag = this as unknown as Fields;
  bag[outHeaders] ??= new OutFields();
  (bag[outHeaders] as OutFields)[key] = [name, value];
  return this;
} as never;

const { writeHead: stockWriteHead, _storeHeader: stockStoreHeader } = stock;

proto.writeHead = function writeHead(
  this: NativeResponse,
  status: number,
  reason?: unknown,
  given?: unknown,
): NativeResponse {
  const fields = this[SESSION] === undefined ? null : (this as unknown as Fields)[outHeaders];
  const usual =
    this[SESSION] !== undefined &&
    this._header === null &&
    typeof reason !== 'string' &&
    Number.isInteger(status) &&
    status >= 200 &&
    status <= 999 &&
    !(fields !== null && (reason ?? given)) &&
    (!this.statusMessage || this.statusMessage === http.STATUS_CODES[status]);
  if (!usual) {
    return Reflect.apply(stockWriteHead, this, [status, reason, given]) as NativeResponse;
  }
  this.statusMessage ||= http.STATUS_CODES[status] ?? 'unknown';
  this.statusCode = status;
  if (status === 204 || status === 304) this._hasBody = false;
  if (this._expect_continue && !this._sent100) this.shouldKeepAlive = false;
  this._storeHeader(statusLine(status), fields ?? given ?? reason);
  return this;
} as never;
// Under its older name too.
own(proto, 'writeHeader', proto.writeHead);

proto._storeHeader = function storeHeader(
  this: NativeResponse,
  firstLine: string,
  fields: unknown,
): void {
  if (this[SESSION] !== undefined && (typeof fields === 'object' || fields === undefined)) {
    const set = (this as unknown as Fields)[outHeaders];
    const text = composeHead(this as never, firstLine, fields, fields === set);
    if (text !== undefined) {
      this._header = text;
      this._headerSent = false;
      return;
    }
  }
  stockStoreHeader.call(this, firstLine, fields);
};

type Done = (error?: Error) => void;

/** A body that end() may send as it is. */
function isPlain(chunk: unknown, encoding: unknown): chunk is string | Uint8Array | undefined {
  if (chunk === undefined || chunk === null) return true;
  if (typeof chunk === 'string') {
    return encoding === undefined || encoding === null || encoding === 'utf8';
  }
  return isUint8Array(chunk);
}

proto.end = function end(
  this: NativeResponse,
  chunk?: unknown,
  encoding?: unknown,
  callback?: unknown,
): NativeResponse {
  const session = this[SESSION];
  if (typeof chunk === 'function') {
    callback = chunk;
    chunk = undefined;
  } else if (typeof encoding === 'function') {
    callback = encoding;
    encoding = undefined;
  }
  if (
    session === undefined ||
    this.finished ||
    this.destroyed ||
    this._headerSent ||
    !this[ASSIGNED] ||
    this.strictContentLength ||
    !isPlain(chunk, encoding) ||
    !session.writesAtOnce
  ) {
    return stock.end.call(this, chunk as never, encoding as never, callback as never) as never;
  }
  if (this._header === null) {
    this._contentLength =
      typeof chunk === 'string' ? Buffer.byteLength(chunk) : (chunk?.byteLength ?? 0);
    this._implicitHeader();
  }
  // Whoever hears of the head may have done anything.
  const changed = this.finished || this._headerSent || !session.writesAtOnce;
  const asPieces =
    this.chunkedEncoding && (this._trailer !== '' || NOT_ASCII.test(this._header ?? ''));
  if (changed || asPieces || this._header === null || (!this._hasBody && chunk)) {
    return stock.end.call(this, chunk as never, encoding as never, callback as never) as never;
  }
  if (typeof callback === 'function') this.once('finish', callback as Done);
  this._headerSent = true;
  this.finished = true;
  if (this.chunkedEncoding && this._hasBody) sendChunk(session, this._header, chunk);
  else session.sendWhole(this._header, this._hasBody && chunk ? chunk : NOTHING);
  if (this._eventsCount > 0 || this.emit !== emit) this.emit('prefinish');
  session.responseGiven(this, false);
  return this;
} as never;

proto._finish = function finish(this: NativeResponse): void {
  stock._finish.call(this);
  const session = this[SESSION];
  if (session !== undefined) session.responseGiven(this, true);
};

/** Its turn has come: what was written before leaves. */
export function assign(response: NativeResponse): void {
  response[ASSIGNED] = true;
  if (response._eventsCount > 0) response.emit('socket', response[SESSION].socket);
  if (response.finished || response._headerSent || Object.hasOwn(response, 'outputData')) {
    response._flush();
  }
}

/** The socket takes more. */
export function drained(response: NativeResponse): void {
  const bag = response as unknown as Record<symbol, unknown>;
  if (response.finished || bag[needDrain] !== true) return;
  bag[needDrain] = false;
  response.emit('drain');
}

/** Nothing happens to it any more. */
export function emitClose(response: NativeResponse): void {
  if (response._closed) return;
  response.destroyed = true;
  response._closed = true;
  response.emit('close');
}
