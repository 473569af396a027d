// The handlers of connections, as users name them.
import type { Connection } from './connection.js';
import type { HandlersOf } from './handlers.js';

/** What happens to a connection; `Data` is the type of its `data`. See HandlersOf. */
export interface Handlers<Data = unknown> extends HandlersOf<Connection<Data>> {}
