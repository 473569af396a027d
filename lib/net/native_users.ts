// Code of Node's that looks behind a handle, which would end the process if it met one of ours. It
// gets one of Node's in its place.
import net from 'node:net';
import type { Converter } from './converting.js';
import type { NodeSocket } from './seams.js';

type Method = (this: unknown, ...given: unknown[]) => unknown;

/** TLS over a socket: `tls.connect({ socket })` and `new tls.TLSSocket(socket)`. */
export function guardTls(converter: Converter): void {
  let prototype: { _wrapHandle?: Method };
  try {
    prototype = process.getBuiltinModule('node:tls').TLSSocket.prototype as typeof prototype;
  } catch {
    return; // a Node without TLS
  }
  const wrapHandle = prototype._wrapHandle;
  if (typeof wrapHandle !== 'function') return;
  prototype._wrapHandle = function (this: unknown, wrap, handle, ...given) {
    const isOurs = wrap instanceof net.Socket && converter.socket(wrap as NodeSocket);
    const native = isOurs ? (wrap as NodeSocket)._handle : handle;
    return wrapHandle.call(this, wrap, native, ...given);
  };
}

/** How a channel to another process writes: the third argument is a handle that goes along. */
const WRITES = ['writeUtf8String', 'writeBuffer'] as const;

/** Sockets and servers that are sent to another process, whoever has made the channel, and when. */
export function guardSending(converter: Converter): void {
  const prototype = converter.streamPrototype() as Partial<Record<string, Method>>;
  for (const name of WRITES) {
    const write = prototype[name];
    if (typeof write !== 'function') continue;
    prototype[name] = function (this: unknown, ...given) {
      if (given.length > 2) given[2] = converter.native(given[2]);
      return write.apply(this, given);
    };
  }
}
