// The options of connect()'s TLS beside those of its secure context.
import type { PeerCertificate } from 'node:tls';
import { milliseconds } from '../checks.js';
import { invalidArgType, outOfRange } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import type { NativeContext } from '../runtime/native_tls.js';
import { CONTEXT, CONTEXT_PEERS } from './context_options.js';
import { checkClientName } from './names.js';
import { SecureContext, type SecureContextOptions } from './secure_context.js';
import { chosenContext, contextOptionsOf } from './server_options.js';

type ClientContextOptions = Omit<SecureContextOptions, 'sni' | 'ocspResponse'>;

export interface ClientTlsOptions extends ClientContextOptions {
  /** One that is made already, in the place of ca, cert and the other options of a context. */
  secureContext?: SecureContext;
  /**
   * The name that the server is asked for, and that must stand in its certificate. '' asks for
   * none, and then `host` must stand there. Default: `host`, unless that is an IP address.
   */
  servername?: string;
  /**
   * Called after the handshake in the place of our own look at the names; an Error that it returns
   * ends the connection. `tls.checkServerIdentity` of Node has this form.
   */
  checkServerIdentity?: (hostname: string, certificate: PeerCertificate) => Error | undefined;
  /** A session of an earlier connection to this server, which is resumed if the server agrees. */
  session?: Uint8Array;
  /** Milliseconds for the handshake; connecting fails then. 0: no limit. Default: 30,000. */
  handshakeTimeout?: number;
}

const HANDSHAKE_MS = 30_000;
/** It holds the server's certificate, and a ticket. */
const SESSION_BYTES_MAX = 256 * 1024;

const { sni: _sni, ocspResponse: _ocsp, ...CLIENT_CONTEXT } = CONTEXT;
const KNOWN = optionNames<ClientTlsOptions>(
  'tls',
  {
    ...CLIENT_CONTEXT,
    secureContext: true,
    servername: true,
    checkServerIdentity: true,
    session: true,
    handshakeTimeout: true,
  },
  { ...CONTEXT_PEERS, sni: 'servername', timeout: 'handshakeTimeout' },
);

export interface CheckedClientTls {
  context: NativeContext;
  rejectUnauthorized: boolean;
  /** Sent to the server; empty: none. */
  servername: string;
  /** Looked for in the certificate by native code; empty: it is not. */
  verifyName: string;
  /** For `checkServerIdentity`. */
  hostname: string;
  checkServerIdentity: ClientTlsOptions['checkServerIdentity'];
  session: Uint8Array | undefined;
  handshakeMs: number;
}

let usual: SecureContext | undefined;

/** The context of those who ask for nothing: it is made once. */
function usualContext(): SecureContext {
  usual ??= new SecureContext({}, 'options.tls', 'client');
  return usual;
}

/**
 * The same options with what they have of a context made into one: who connects again and again
 * reads its certificates once.
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE,
 *   _UNKNOWN_OPTION
 * @throws RingpollError ERR_RINGPOLL_TLS_...
 */
export function secureContextIn(value: unknown, path = 'options.tls'): ClientTlsOptions {
  if (value === true) return { secureContext: usualContext() };
  if (value instanceof SecureContext) return { secureContext: value };
  checkOptions(KNOWN, value, path);
  const options = value as ClientTlsOptions;
  const given = chosenContext(path, options);
  const others = Object.entries(options).filter(([name]) => !Object.hasOwn(CONTEXT, name));
  const secureContext = given ?? contextOf(options, path);
  return { ...Object.fromEntries(others), secureContext };
}

function contextOf(options: ClientTlsOptions, path: string): SecureContext {
  const own = contextOptionsOf(options);
  const isUsual = Object.values(own).every((each) => each === undefined);
  return isUsual ? usualContext() : new SecureContext(own, path, 'client');
}

/**
 * @param value `true`, a SecureContext, or options
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE,
 *   _UNKNOWN_OPTION
 * @throws RingpollError ERR_RINGPOLL_TLS_...
 */
export function checkClientTls(
  value: unknown,
  host: string,
  path = 'options.tls',
): CheckedClientTls {
  if (value === true) return checkClientTls({}, host, path);
  if (value instanceof SecureContext) return checkClientTls({ secureContext: value }, host, path);
  checkOptions(KNOWN, value, path);
  const options = value as ClientTlsOptions;
  const { checkServerIdentity, session } = options;
  if (checkServerIdentity !== undefined && typeof checkServerIdentity !== 'function') {
    throw invalidArgType(`${path}.checkServerIdentity`, 'a function', checkServerIdentity);
  }
  if (session !== undefined) {
    if (!(session instanceof Uint8Array)) {
      throw invalidArgType(`${path}.session`, 'a Uint8Array', session);
    }
    if (session.byteLength === 0 || session.byteLength > SESSION_BYTES_MAX) {
      const range = `1 to ${SESSION_BYTES_MAX} bytes`;
      throw outOfRange(`${path}.session.length`, range, session.byteLength);
    }
  }
  const handshakeMs = milliseconds(
    `${path}.handshakeTimeout`,
    options.handshakeTimeout,
    HANDSHAKE_MS,
  );
  const servername = checkClientName(`${path}.servername`, options.servername, host);
  const context = chosenContext(path, options) ?? contextOf(options, path);
  const hostname = servername === '' ? host : servername;
  return {
    context: context._native('client'),
    rejectUnauthorized: context._rejectsUnauthorized,
    servername,
    verifyName: checkServerIdentity === undefined ? hostname : '',
    hostname,
    checkServerIdentity,
    session,
    handshakeMs,
  };
}
