// connection.tls, which is made when it is asked for first.
import { runtime } from '../runtime/runtime.js';
import { extraOf, type HasExtra } from './connection_state.js';
import { ConnectionTls } from './connection_tls.js';

interface Subject extends HasExtra {
  readonly _slot: number;
  readonly _generation: number;
  readonly _endpoint: { readonly tls?: unknown };
}

export function tlsOf(connection: Subject): ConnectionTls | undefined {
  const known = connection._extra?.tls;
  if (known !== undefined || connection._endpoint.tls === undefined) return known;
  const details = runtime().native.tlsDetails(connection._slot, connection._generation);
  if (details === undefined) return undefined;
  const tls = new ConnectionTls(connection, details);
  extraOf(connection).tls = tls;
  return tls;
}
