// The options of a listener's TLS beside those of its secure context.

import { boolean, milliseconds } from '../checks.js';
import { invalidArgType, invalidArgValue } from '../errors.js';
import { checkOptions, type NamesOf, optionNames } from '../option_names.js';
import { CONTEXT, CONTEXT_PEERS } from './context_options.js';
import { type CheckedFiles, checkFiles, type FileOptions } from './files.js';
import { SecureContext, type SecureContextOptions, servable } from './secure_context.js';

/** Answers with what serves the name; without one the listener's own context does. */
export type SNICallback = (
  servername: string,
  callback: (error: Error | null, context?: SecureContext) => void,
) => void;

export interface ServerTlsOptions extends SecureContextOptions, FileOptions {
  /** One that is made already, in the place of key, cert and the other options of a context. */
  secureContext?: SecureContext;
  /**
   * Asked for each name that `sni` does not have, and with '' where the client sends none. The
   * handshake waits for the answer; an error of it ends the handshake with unrecognized_name.
   */
  SNICallback?: SNICallback;
  /** Milliseconds for a handshake; the connection is closed then. 0: no limit. Default: 30,000. */
  handshakeTimeout?: number;
}

const HANDSHAKE_MS = 30_000;

const FILES: NamesOf<FileOptions> = { watch: true, certFile: true, keyFile: true, caFile: true };
const { keyFile: _key, certFile: _cert, caFile: _ca, ...PEERS } = CONTEXT_PEERS;

const KNOWN = optionNames<ServerTlsOptions>(
  'tls',
  { ...CONTEXT, ...FILES, secureContext: true, SNICallback: true, handshakeTimeout: true },
  { ...PEERS, servername: 'sni serves names; servername is for connect()' },
);
const REPLACEMENT = optionNames<SecureContextOptions>('setSecureContext()', CONTEXT, CONTEXT_PEERS);

export interface CheckedServerTls {
  context: SecureContext;
  /** What the context was made of, when files are a part of it. */
  files: CheckedFiles | undefined;
  nameCallback: SNICallback | undefined;
  handshakeMs: number;
}

/**
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE,
 *   _UNKNOWN_OPTION
 * @throws RingpollError ERR_RINGPOLL_TLS_..., and the system's error for files that cannot be read
 */
export function checkServerTls(value: unknown, path = 'options.tls'): CheckedServerTls {
  if (value instanceof SecureContext) return checkServerTls({ secureContext: value }, path);
  checkOptions(KNOWN, value, path);
  const options = value as ServerTlsOptions;
  const { SNICallback: nameCallback } = options;
  if (nameCallback !== undefined && typeof nameCallback !== 'function') {
    throw invalidArgType(`${path}.SNICallback`, 'a function', nameCallback);
  }
  boolean(`${path}.watch`, options.watch, false);
  const handshakeMs = milliseconds(
    `${path}.handshakeTimeout`,
    options.handshakeTimeout,
    HANDSHAKE_MS,
  );
  const files = checkFiles(path, options, contextOptionsOf(options));
  const given = chosenContext(path, options);
  const make = (own: SecureContextOptions) => new SecureContext(own, path, 'server');
  const context = given ?? files?.use(make) ?? make(contextOptionsOf(options));
  return { context: servable(path, context), files, nameCallback, handshakeMs };
}

/** What setSecureContext() of a listener takes: a context, or the options of one. */
export function checkReplacement(value: unknown): SecureContext {
  if (value instanceof SecureContext) return servable('context', value);
  checkOptions(REPLACEMENT, value);
  return servable('options', new SecureContext(value as SecureContextOptions, 'options', 'server'));
}

export function contextOptionsOf(options: object): SecureContextOptions {
  const entries = Object.entries(options).filter(([name]) => Object.hasOwn(CONTEXT, name));
  return Object.fromEntries(entries) as SecureContextOptions;
}

/** undefined: there is none, and the options beside it make one. */
export function chosenContext(
  path: string,
  options: { secureContext?: unknown },
): SecureContext | undefined {
  const { secureContext: given } = options;
  if (given === undefined) return undefined;
  if (!(given instanceof SecureContext)) {
    throw invalidArgType(`${path}.secureContext`, 'made by secureContext()', given);
  }
  const beside = ['certFile', 'keyFile', 'caFile', ...Object.keys(CONTEXT)].find(
    (name) => (options as Record<string, unknown>)[name] !== undefined,
  );
  if (beside === undefined) return given;
  throw invalidArgValue(`${path}.secureContext`, `given without ${beside}`, given);
}
