// ringpoll/crossws: the hooks of crossws on serve().
export {
  type CrosswsAdapter,
  type CrosswsOptions,
  type CrosswsServer,
  crossws,
  crossws as default,
} from './adapter.js';
export {
  type HeaderFields,
  type Hooks,
  type ResolveHooks,
  type UpgradeResult,
  WSError,
} from './hooks.js';
export type { Message } from './message.js';
export type { DrainOptions, Peer, SocketView, UpgradeRequest } from './peer.js';
export type { SyncAdapter, SyncDriver, SyncErrorListener, SyncMessage } from './relay.js';
