// What a server needs once it listens.
export { Host } from './host.js';
export { ListenHandle } from './listen_handle.js';
