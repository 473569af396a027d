// The TLS of https: URLs.
import { type ClientTlsOptions, secureContextIn } from '../tls/client_options.js';
import { SecureContext } from '../tls/secure_context.js';

const ALPN = ['http/1.1'];

/** The same, with its secure context made: a client connects again and again. */
export function clientTls(
  value: true | ClientTlsOptions | SecureContext | undefined,
): ClientTlsOptions {
  if (value instanceof SecureContext) return { secureContext: value };
  if (value === undefined || value === true) return usualTls();
  return secureContextIn({ ALPNProtocols: ALPN, ...value }, 'options.tls');
}

let usual: ClientTlsOptions | undefined;

function usualTls(): ClientTlsOptions {
  usual ??= secureContextIn({ ALPNProtocols: ALPN }, 'options.tls');
  return usual;
}
