// The TLS of a client: what is costly is made once, however often the client connects again.
import { invalidArgValue } from '../errors.js';
import { type ClientTlsOptions, secureContextIn } from '../tls/client_options.js';
import { SecureContext } from '../tls/secure_context.js';

/** A server that speaks HTTP/2 too must not choose that: RFC 6455 is HTTP/1.1's. */
const ALPN = ['http/1.1'];

let usual: SecureContext | undefined;

/**
 * The `tls` of connect(); undefined for a URL without TLS.
 * @throws as secureContext(), and TypeError ERR_RINGPOLL_INVALID_ARG_VALUE beside a URL without TLS
 */
export function clientTls(
  value: true | ClientTlsOptions | SecureContext | undefined,
  secure: boolean,
): ClientTlsOptions | SecureContext | undefined {
  if (!secure) {
    if (value === undefined) return undefined;
    throw invalidArgValue('options.tls', 'left out when the URL is not of the scheme wss', value);
  }
  if (value instanceof SecureContext) return value;
  if (value === undefined || value === true) {
    usual ??= new SecureContext({ ALPNProtocols: ALPN }, 'options.tls', 'client');
    return usual;
  }
  return secureContextIn({ ALPNProtocols: ALPN, ...value }, 'options.tls');
}
