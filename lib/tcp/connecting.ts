// A connection on its way to being open: from native code's answer to its open handler.
import { Control } from '../runtime/protocol.js';
import type { Runtime } from '../runtime/runtime.js';
import { systemError, type Target } from '../runtime/system_error.js';
import { Connection } from './connection.js';
import { extraOf, Flag } from './connection_state.js';
import type { Endpoint } from './endpoint.js';
import type { CheckedConnectionOptions } from './options.js';
import { keepConnection, keepEndpoint, leaveEndpoint } from './tables.js';
import type { ConnectTls } from './tls_endpoint.js';

/** The connection was there. No other address is tried, even if its open handler threw. */
export interface Made<Data> {
  connection: Connection<Data>;
  failure: Error | undefined;
}

/** The connection that native code has just opened. */
export function register<Data>(
  loop: Runtime,
  endpoint: Endpoint<Connection<Data>>,
  data: Data | undefined,
): Connection<Data> {
  const { control } = loop;
  const slot = control[Control.resultSlot];
  const connection = new Connection<Data>(endpoint, slot, control[Control.resultGeneration]);
  connection._flags |= Flag.connecting;
  if (data !== undefined) connection.data = data;
  keepConnection(connection);
  keepEndpoint(endpoint, control[Control.resultEndpoint]);
  endpoint.natives++;
  return connection;
}

/** Resolves when its open handler has run. */
export function settle<Data>(
  connection: Connection<Data>,
  target: Target,
  checked: CheckedConnectionOptions,
  tls: ConnectTls | undefined,
  won: () => void,
): Promise<Made<Data>> {
  const { signal } = checked;
  const abort = () => connection.reset();
  signal?.addEventListener('abort', abort, { once: true });
  const { _endpoint: endpoint } = connection;
  endpoint.onCloseHeld = () => leaveEndpoint(endpoint);
  endpoint.onConnectionClosed = () => {
    signal?.removeEventListener('abort', abort);
    leaveEndpoint(endpoint);
    if (!(connection._flags & Flag.connecting)) endpoint.over();
  };
  return new Promise((resolve, reject) => {
    extraOf(connection).connecting = {
      configure: () => {
        won();
        tls?.opened(connection);
        configure(connection, target, checked);
      },
      opened: (failure) => resolve({ connection, failure }),
      refused: (error) => reject(withTarget(error, target)),
    };
  });
}

function configure<Data>(
  connection: Connection<Data>,
  target: Target,
  checked: CheckedConnectionOptions,
): void {
  if (target.path !== undefined) return;
  if (checked.noDelay) connection.setNoDelay(true);
  if (checked.keepAliveMs >= 0) connection.setKeepAlive(checked.keepAliveMs);
}

/** The dispatcher knows the error, and only we know where to. */
function withTarget(error: Error, target: Target): Error {
  const { errno, syscall, code } = error as Error & {
    errno?: number;
    syscall?: string;
    code?: string;
  };
  if (code === 'ERR_RINGPOLL_CONNECT_TIMEOUT') return systemError(0x10000, 3, target);
  return errno === undefined || syscall !== 'connect' ? error : systemError(-errno, 3, target);
}
