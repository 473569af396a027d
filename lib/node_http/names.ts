// The names under which messages keep what is this face's own.

/** The connection of a message that is served natively; undefined on all others. */
export const SESSION: unique symbol = Symbol('ringpoll.session');
export const SECTION: unique symbol = Symbol('ringpoll.section');
export const HEADERS: unique symbol = Symbol('ringpoll.headers');
export const RAW_HEADERS: unique symbol = Symbol('ringpoll.rawHeaders');
export const TRAILERS: unique symbol = Symbol('ringpoll.trailers');
/** Pieces of a body that came before anybody looked. */
export const PIECES: unique symbol = Symbol('ringpoll.pieces');
/** The stream of a request is there. */
export const STREAMS: unique symbol = Symbol('ringpoll.streams');
/** It is over, and has no stream that would say so. */
export const DESTROYED: unique symbol = Symbol('ringpoll.destroyed');
/** A response may be written. */
export const ASSIGNED: unique symbol = Symbol('ringpoll.assigned');
/** On a socket: its connection speaks HTTP natively. */
export const SERVED: unique symbol = Symbol('ringpoll.served');
/** The request keeps its connection, as the parser sees it. */
export const KEEPS: unique symbol = Symbol('ringpoll.keeps');
/** Of a response, while somebody counts what its server answers. */
export const MEASURED: unique symbol = Symbol('ringpoll.measured');
