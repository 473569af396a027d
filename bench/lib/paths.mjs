// Where things are.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const BENCH = dirname(dirname(fileURLToPath(import.meta.url)));
export const ROOT = dirname(BENCH);
export const BUILD = join(BENCH, 'build'); // ignored by git
export const PEERS = join(BENCH, 'peers');
