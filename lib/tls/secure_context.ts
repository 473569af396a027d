// A secure context: keys, certificates and rules, made once and shared by listeners and clients.
import { brand } from '../brand.js';
import { boolean, integer } from '../checks.js';
import { invalidArgType, invalidArgValue, outOfRange, RingpollError } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { native } from '../runtime/native.js';
import type {
  NativeContext,
  NativeContextFailure,
  NativeContextOptions,
  NativeTicketKeys,
} from '../runtime/native_tls.js';
import { checkAlpn } from './alpn.js';
import { checkCiphers } from './ciphers.js';
import { CONTEXT, CONTEXT_PEERS, type ContextOptions } from './context_options.js';
import {
  checkCertificates,
  checkKeys,
  checkPassphrase,
  checkPems,
  checkPfx,
  checkStaples,
} from './credentials.js';
import { contextError } from './errors.js';
import { checkServerName } from './names.js';
import { defaultRoots } from './roots.js';
import { checkTicketKeys } from './ticket_keys.js';

/** What a secure context is made of. */
export interface SecureContextOptions extends ContextOptions<SecureContext> {}

/** What a context is for; made by the user, it may be for both. */
type Role = 'server' | 'client';
type Made = Omit<NativeContextOptions, 'client' | 'roots' | 'serverNames'>;

const KNOWN = optionNames<SecureContextOptions>('secureContext()', CONTEXT, CONTEXT_PEERS);
const SESSION_SECONDS = 300;
/** RFC 8446, section 4.6.1: a week. */
const SESSION_SECONDS_MAX = 604_800;
const NAMES_MAX = 65_536;
/** What a context of `sni` does not take over: they belong together, or to one level alone. */
const OWN = ['key', 'cert', 'pfx', 'passphrase', 'ocspResponse', 'sni', 'ticketKeys'] as const;

/**
 * Keys, certificates and rules for TLS connections, made by secureContext(). Any number of
 * listeners, servers and clients of one thread may share one.
 */
export class SecureContext {
  #options: Made;
  readonly #hasCertificate: boolean;
  readonly #names: readonly (readonly [string, SecureContext])[];
  readonly #path: string;
  readonly #made: Partial<Record<Role, NativeContext>> = {};
  readonly #ticketKeys: NativeTicketKeys | undefined;

  /**
   * @internal `role`: it is never asked for the other one, and its keys are forgotten here.
   * `shared` are the keys of the context around it.
   */
  constructor(options: SecureContextOptions, path: string, role?: Role, shared?: NativeTicketKeys) {
    assertAvailable();
    this.#path = path;
    const { ticketKeys: keys } = options;
    const checked = keys === undefined ? undefined : checkTicketKeys(`${path}.ticketKeys`, keys);
    this.#ticketKeys = checked === undefined ? shared : native().tlsTicketKeys(checked);
    this.#options = { ...checkedOptions(path, options), ticketKeys: this.#ticketKeys };
    const { certificates, pfx } = this.#options;
    this.#hasCertificate = certificates.length > 0 || pfx.length > 0;
    try {
      this.#names = checkNames(`${path}.sni`, options, this.#ticketKeys);
      const isServers = role === undefined ? this.#hasCertificate : role === 'server';
      if (!isServers || this.#hasCertificate) this._native(isServers ? 'server' : 'client');
    } catch (error) {
      this.#forgetKeys();
      throw error;
    }
    // Without a certificate a server has no use for it.
    if (role !== undefined || !this.#hasCertificate) this.#forgetKeys();
  }

  /** They are copies of our own, and native code has what it needs. */
  #forgetKeys(): void {
    const { keys, pfx } = this.#options;
    for (const { bytes, passphrase } of [...keys, ...pfx]) {
      bytes.fill(0);
      passphrase?.fill(0);
    }
    this.#options = { ...this.#options, keys: [], pfx: [] };
  }

  /** @internal It has what a server needs. */
  get _hasCertificate(): boolean {
    return this.#hasCertificate;
  }

  /** @internal */
  get _requestsCertificate(): boolean {
    return this.#options.requestCertificate;
  }

  /** @internal */
  get _rejectsUnauthorized(): boolean {
    return this.#options.rejectUnauthorized;
  }

  /**
   * @internal What native code has of it in this role.
   * @throws RingpollError ERR_RINGPOLL_TLS_...
   */
  _native(role: Role): NativeContext {
    const made = this.#made[role];
    if (made !== undefined) return made;
    const isClient = role === 'client';
    const verifies = isClient || this.#options.requestCertificate;
    const trustsRoots = verifies && this.#options.authorities === undefined;
    const answer = native().tlsContext({
      ...this.#options,
      client: isClient,
      roots: trustsRoots ? defaultRoots() : undefined,
      serverNames: isClient
        ? []
        : this.#names.flatMap(([name, context]) => [name, context._native('server')]),
    });
    if (isFailure(answer)) throw contextError(this.#path, answer);
    this.#made[role] = answer;
    // A server's and a client's: there is no third.
    if (this.#made.server !== undefined && this.#made.client !== undefined) this.#forgetKeys();
    return answer;
  }

  /**
   * Replaces the keys of session tickets, at once and for open connections too: the first
   * encrypts, all decrypt. What `sni` serves follows, where it has no keys of its own. Only for a
   * context that was made with `ticketKeys`.
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE
   */
  setTicketKeys(keys: Uint8Array | readonly Uint8Array[]): void {
    const checked = checkTicketKeys('keys', keys);
    if (this.#ticketKeys === undefined) {
      throw invalidArgValue('keys', 'given to a context that was made with ticketKeys', keys);
    }
    native().tlsReplaceTicketKeys(this.#ticketKeys, checked);
  }
}
brand('SecureContext', SecureContext);

function isFailure(answer: NativeContext | NativeContextFailure): answer is NativeContextFailure {
  return 'failure' in answer;
}

function assertAvailable(): void {
  const { available, reason } = native().tlsStatus();
  if (available) return;
  throw new RingpollError(
    'ERR_RINGPOLL_TLS_UNAVAILABLE',
    `TLS is not available, because ${reason}`,
  );
}

function checkNames(
  path: string,
  options: SecureContextOptions,
  ticketKeys: NativeTicketKeys | undefined,
): readonly (readonly [string, SecureContext])[] {
  const { sni } = options;
  if (sni === undefined) return [];
  if (typeof sni !== 'object' || sni === null) throw invalidArgType(path, 'an object', sni);
  const entries = Object.entries(sni);
  if (entries.length > NAMES_MAX) {
    throw outOfRange(`${path}`, `of at most ${NAMES_MAX} names`, entries.length);
  }
  const common: Record<string, unknown> = { ...options };
  for (const name of OWN) delete common[name];
  return entries.map(([name, value]) => {
    const inner = `${path}[${JSON.stringify(name)}]`;
    const normal = checkServerName(inner, name);
    if (value instanceof SecureContext) return [normal, servable(inner, value)];
    checkOptions(KNOWN, value, inner);
    const made = new SecureContext({ ...common, ...value }, inner, 'server', ticketKeys);
    return [normal, servable(inner, made)];
  });
}

/** @throws RingpollError ERR_RINGPOLL_TLS_NO_CERTIFICATE */
export function servable(path: string, context: SecureContext): SecureContext {
  if (context._hasCertificate) return context;
  throw new RingpollError(
    'ERR_RINGPOLL_TLS_NO_CERTIFICATE',
    `${path} has no certificate: a server needs key and cert, or pfx`,
  );
}

function checkedOptions(path: string, options: SecureContextOptions): Made {
  const at = (name: string) => `${path}.${name}`;
  const passphrase = checkPassphrase(at('passphrase'), options.passphrase);
  return {
    certificates: checkCertificates(at('cert'), options.cert),
    keys: checkKeys(at('key'), options.key, passphrase),
    pfx: checkPfx(at('pfx'), options.pfx, passphrase),
    staples: checkStaples(at('ocspResponse'), options.ocspResponse),
    authorities: options.ca === undefined ? undefined : checkPems(at('ca'), options.ca),
    crls: checkPems(at('crl'), options.crl),
    ...checkCiphers(path, options),
    serverPreference: boolean(at('honorCipherOrder'), options.honorCipherOrder, true),
    alpn: checkAlpn(at('ALPNProtocols'), options.ALPNProtocols),
    requestCertificate: boolean(at('requestCert'), options.requestCert, false),
    rejectUnauthorized: boolean(at('rejectUnauthorized'), options.rejectUnauthorized, true),
    sessionSeconds: integer(
      at('sessionTimeout'),
      options.sessionTimeout,
      1,
      SESSION_SECONDS_MAX,
      SESSION_SECONDS,
    ),
    sessionIdContext: checkIdContext(at('sessionIdContext'), options.sessionIdContext),
    ticketKeys: undefined,
    tickets: boolean(at('sessionTickets'), options.sessionTickets, true),
    keylog: boolean(at('keylog'), options.keylog, false),
  };
}

function checkIdContext(name: string, value: unknown): Uint8Array {
  if (value === undefined) return new Uint8Array(0);
  if (typeof value !== 'string') throw invalidArgType(name, 'a string', value);
  if (value === '') throw invalidArgValue(name, 'a string with at least one character', value);
  return Buffer.from(value);
}

/**
 * Makes a secure context. Everything in it is looked at now: a key that does not belong to its
 * certificate is an error here, and not at the first connection. Without key, cert and pfx it is
 * for clients alone.
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE,
 *   _UNKNOWN_OPTION
 * @throws RingpollError ERR_RINGPOLL_TLS_..., by what is wrong
 */
export function secureContext(options: SecureContextOptions = {}): SecureContext {
  checkOptions(KNOWN, options);
  return new SecureContext(options, 'options');
}
