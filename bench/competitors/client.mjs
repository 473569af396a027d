// Who takes part in the suite of HTTP clients: names of bench/clients/http.mjs.
import { npmPeers } from '../lib/build.mjs';

export const RIVALS = ['undici', 'fetch'];
export const OURS = 'ringpoll';

export const clients = [
  { name: 'undici', prepare: npmPeers },
  { name: 'fetch' },
  { name: OURS },
  { name: 'ringpoll-fetch' },
];
