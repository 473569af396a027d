// Tunnels through a proxy (CONNECT, RFC 9110 section 9.3.6), for https: URLs.
import { Ask } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { systemError } from '../runtime/system_error.js';
import { adoptNow } from '../tcp/adopt.js';
import type { ConnectOptions } from '../tcp/connect.js';
import type { Connection } from '../tcp/connection.js';
import { lost, proxyRefused } from './errors.js';
import { Exchange } from './exchange.js';
import type { ForwardProxy } from './forward_proxy.js';
import type { ClientResponse } from './response.js';

const noTrailers = () => '';
/** The number of the call in SYSCALLS: connect. */
const CONNECT = 3;

/**
 * What connects in the place of connect(): by a tunnel, with TLS inside. `ask` sends the requests
 * for it over connections to the proxy.
 */
export function tunnelThrough(
  { authorization }: ForwardProxy,
  headMs: number,
  ask: (exchange: Exchange) => void,
): (options: ConnectOptions) => Promise<Connection> {
  return async (options) => {
    const { host = '', port, connectTimeout: _, localAddress: __, ...rest } = options;
    const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const response = await new Promise<ClientResponse>((resolve, reject) => {
      const exchange = new Exchange({
        method: 'CONNECT',
        head: `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${authorization}\r\n`,
        body: undefined,
        stream: undefined,
        declared: undefined,
        trailers: noTrailers,
        flags: Ask.connect,
        headMs,
        bodyMs: headMs,
        repeatable: true,
        closes: false,
        informational: undefined,
        resolve,
        reject,
      });
      ask(exchange);
    });
    if (!response.ok) {
      response.cancel();
      throw proxyRefused(response.status);
    }
    const fd = descriptorOf(response.upgrade({ data() {} }));
    try {
      return adoptNow({ ...rest, host, fd });
    } catch (error) {
      runtime().native.closeSocket(fd);
      throw error;
    }
  };
}

/** The socket leaves the loop, to come back with TLS on it. */
function descriptorOf(connection: Connection): number {
  const { native } = runtime();
  const received: Uint8Array[] = [];
  const fd = native.release(connection._slot, connection._generation, received);
  if (fd < 0) throw lost(systemError(-fd, CONNECT));
  if (received.length === 0) return fd;
  // The server speaks behind the handshake: these are the proxy's, and nobody has asked for them.
  native.closeSocket(fd);
  throw lost();
}
