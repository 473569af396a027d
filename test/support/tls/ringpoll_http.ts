// Stands in for ringpoll/http when the suite runs over TLS: serve() does, behind a relay.
import * as real from '../../../lib/http/index.js';
import { pair } from './certificate.js';
import { behindRelay, isPlainTcp } from './stand_in.js';

export * from '../../../lib/http/index.js';

export function serve(options: real.ServeOptions): real.HttpServer {
  if (!isPlainTcp(options)) return real.serve(options);
  return behindRelay(real.serve({ ...options, tls: pair } as real.ServeOptions));
}
