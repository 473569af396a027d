// Stands in for the package's main entry when the suite runs over TLS: listen() and connect() speak
// TLS, and the tests' plain peers reach them through relays.
import * as real from '../../../lib/index.js';
import { pair } from './certificate.js';
import { relayFromTls } from './relay.js';
import { behind, behindRelay, isPlainTcp } from './stand_in.js';

export * from '../../../lib/index.js';

export function listen<Data = unknown>(options: real.ListenOptions<Data>): real.Listener {
  if (!isPlainTcp(options)) return real.listen(options);
  return behindRelay(real.listen({ ...options, tls: pair }));
}

export function connect<Data = unknown>(
  options: real.ConnectOptions<Data>,
): Promise<real.Connection<Data>> {
  if (!isPlainTcp(options) || typeof options.port !== 'number') return real.connect(options);
  const tls = { ca: pair.cert, servername: 'localhost' };
  const known = behind.get(options.port);
  if (known !== undefined) return real.connect({ ...options, port: known, tls });
  const relay = relayFromTls(options.port);
  return real.connect({ ...options, port: relay.port, tls }).finally(() => relay.close());
}
