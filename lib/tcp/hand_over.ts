// A connection changes what it speaks: its handlers and its endpoint are new ones.
import type { Connection } from './connection.js';
import type { Handlers } from './connection_handlers.js';
import { Endpoint } from './endpoint.js';
import type { AnyEndpoint } from './tables.js';

/** An endpoint for connections that `listening` has accepted, and goes on counting. */
export function endpointBehind<Data>(
  listening: AnyEndpoint,
  handlers: Handlers<Data>,
  allowHalfOpen = false,
): Endpoint<Connection<Data>> {
  const { highWaterMark } = listening;
  const endpoint = new Endpoint<Connection<Data>>(handlers, allowHalfOpen, highWaterMark);
  endpoint.id = listening.id;
  endpoint.tls = listening.tls;
  endpoint.listening = listening as unknown as Endpoint<Connection<Data>>;
  endpoint.onConnectionClosed = () => {
    listening.connections--;
    listening.onConnectionClosed?.();
  };
  return endpoint;
}

/** From here on its events go to the handlers of `endpoint`. */
export function moveTo<Data>(
  connection: Connection,
  endpoint: Endpoint<Connection<Data>>,
): Connection<Data> {
  endpoint.connections++;
  (connection as { _endpoint: AnyEndpoint })._endpoint = endpoint as unknown as AnyEndpoint;
  return connection as unknown as Connection<Data>;
}

/** From here on its events go to `handlers`. The listener still counts it. */
export function handOverTo<Data>(
  connection: Connection,
  handlers: Handlers<Data>,
  allowHalfOpen = false,
): Connection<Data> {
  const endpoint = endpointBehind(connection._endpoint, handlers, allowHalfOpen);
  const counted = endpoint.onConnectionClosed;
  endpoint.onConnectionClosed = () => {
    counted?.();
    endpoint.over();
  };
  return moveTo(connection, endpoint);
}
