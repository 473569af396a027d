// In the place of node:dgram for the whole process.
import type { Installed } from '../node_face.js';
import { oneFace } from './active.js';

export type { Installed };

/**
 * Every dgram.Socket that is made from now on is served by this package; those that are there stay
 * as they are. Where a part of Node that this needs is missing, nothing changes.
 */
export function installDgram(): Installed {
  return oneFace.install();
}

/** New ones are Node's again; those that are open stay as they are. */
export function uninstallDgram(): void {
  oneFace.uninstall();
}
