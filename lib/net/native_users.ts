// Code of Node's that looks behind a handle, which would end the process if it met one of ours. It
// is made to ask first.
import net from 'node:net';
import type { Converter } from './converting.js';
import type { NodeServer, NodeSocket } from './seams.js';

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
  prototype._wrapHandle = function (this: unknown, wrap, ...given) {
    if (wrap instanceof net.Socket) converter.socket(wrap as NodeSocket);
    return wrapHandle.call(this, wrap, ...given);
  };
}

const guarded = new WeakSet<object>();

/** Sockets and servers that are sent to another process. */
function guardChannel(converter: Converter, of: object): void {
  const channel = of as { _send?: Method };
  const send = channel._send;
  if (typeof send !== 'function' || guarded.has(of)) return;
  guarded.add(of);
  channel._send = function (this: unknown, message, handle, ...given) {
    if (handle instanceof net.Socket) converter.socket(handle as NodeSocket);
    else if (handle instanceof net.Server) converter.server(handle as NodeServer);
    return send.call(this, message, handle, ...given);
  };
}

/** That of this process, and those of its children. */
export function guardSending(converter: Converter): void {
  guardChannel(converter, process);
  const { ChildProcess } = process.getBuiltinModule('node:child_process');
  const prototype = ChildProcess.prototype as unknown as { spawn: Method };
  const { spawn } = prototype;
  prototype.spawn = function (this: object, ...given) {
    const result = spawn.apply(this, given);
    guardChannel(converter, this);
    return result;
  } as Method;
}
