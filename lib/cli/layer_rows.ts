// What layers are called in tables, in the order of a request's way.
import type { LayerName } from '../admin/layer_costs.js';

export const LAYER_ROWS: readonly (readonly [LayerName, string])[] = [
  ['loop', 'which connections are ready; the turn itself'],
  ['accept', 'accept4'],
  ['read', 'recv'],
  ['tls', 'handshakes and records, and what is parsed behind them'],
  ['parse', 'requests out of bytes'],
  ['dispatch', 'JavaScript, from events to handlers and back'],
  ['handler', 'your handlers, until they return'],
  ['serialise', 'commands, and the heads of answers'],
  ['write', 'send'],
  ['host', 'libuv and its callbacks, timers and promises'],
];
