// The hooks of crossws: those that all have, and those that a request resolves to.
import { optionNames } from '../option_names.js';
import type { Message } from './message.js';
import type { Peer, UpgradeRequest } from './peer.js';

/** What the hook `error` gets; `cause` is the error itself. */
export class WSError extends Error {
  override readonly name = 'WSError';

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

export type HeaderFields = Headers | Record<string, string> | [name: string, value: string][];

/** What the hook `upgrade` may return. */
export interface UpgradeResult {
  headers?: HeaderFields;
  protocol?: string;
  /** False: not for this one. Otherwise the options of the server decide. */
  perMessageDeflate?: boolean | object;
  namespace?: string;
  context?: Record<string, unknown>;
  /** The hook has answered the request already. */
  handled?: boolean;
}

type Now<T> = T | PromiseLike<T>;

// Methods, so that hooks that are typed by crossws itself are taken too.
/** Hooks: https://crossws.h3.dev/guide/hooks has their reference. */
export interface Hooks {
  /** A Response, returned or thrown, refuses the handshake. */
  // biome-ignore lint/suspicious/noConfusingVoidType: hooks that return nothing are of type void
  upgrade?(request: UpgradeRequest): Now<UpgradeResult | Response | void>;
  open?(peer: Peer): unknown;
  message?(peer: Peer, message: Message): unknown;
  drain?(peer: Peer): unknown;
  ping?(peer: Peer, data: Uint8Array): unknown;
  pong?(peer: Peer, data: Uint8Array): unknown;
  error?(peer: Peer, error: WSError): unknown;
  close?(peer: Peer, details: { code?: number; reason?: string }): unknown;
}

export const HOOKS = optionNames<Hooks>('crossws({ hooks })', {
  upgrade: true,
  open: true,
  message: true,
  drain: true,
  ping: true,
  pong: true,
  error: true,
  close: true,
});

export type ResolveHooks = (request: UpgradeRequest) => Now<Hooks | undefined>;

type Hook = (...all: unknown[]) => unknown;

/** Calls the hook of all first, and then that of the request. */
export class HookCaller {
  readonly #general: Hooks;
  readonly #resolve: ResolveHooks | undefined;
  /** By the context of a connection: each is resolved once. */
  readonly #resolved = new WeakMap<object, Promise<Hooks | undefined>>();

  constructor(general: Hooks, resolve: ResolveHooks | undefined) {
    this.#general = general;
    this.#resolve = resolve;
  }

  /** Somebody may be listening to this. */
  has(name: keyof Hooks): boolean {
    return this.#resolve !== undefined || this.#general[name] !== undefined;
  }

  /** Gives what the hook of the request returned, or else what that of all did. */
  call(name: keyof Hooks, request: UpgradeRequest, key: object, ...all: unknown[]): unknown {
    const result = (this.#general[name] as Hook | undefined)?.(...all);
    const resolve = this.#resolve;
    if (resolve === undefined) return result;
    let hooks = this.#resolved.get(key);
    if (hooks === undefined) {
      hooks = (async () => resolve(request))();
      this.#resolved.set(key, hooks);
    }
    return this.#further(result, hooks, name, all);
  }

  async #further(
    result: unknown,
    hooks: Promise<Hooks | undefined>,
    name: keyof Hooks,
    all: unknown[],
  ): Promise<unknown> {
    const [before, own] = await Promise.all([result, hooks]);
    return (await (own?.[name] as Hook | undefined)?.(...all)) || before;
  }
}
