// A connection changes what it speaks: its handlers and its endpoint are new ones.
import type { Connection } from './connection.js';
import type { Handlers } from './connection_handlers.js';
import { Endpoint } from './endpoint.js';
import type { AnyEndpoint } from './tables.js';

/** From here on its events go to `handlers`. The listener still counts it. */
export function handOverTo<Data>(
  connection: Connection,
  handlers: Handlers<Data>,
): Connection<Data> {
  const listening = connection._endpoint;
  const endpoint = new Endpoint<Connection<Data>>(handlers, false, listening.highWaterMark);
  endpoint.id = listening.id;
  endpoint.listening = listening as unknown as Endpoint<Connection<Data>>;
  endpoint.connections = 1;
  endpoint.onConnectionClosed = () => {
    listening.connections--;
    listening.onConnectionClosed?.();
    endpoint.over();
  };
  const raw = connection as unknown as Connection<Data>;
  (connection as { _endpoint: AnyEndpoint })._endpoint = endpoint as unknown as AnyEndpoint;
  return raw;
}
