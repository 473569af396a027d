// In the place of node:net for the whole process.
import type { Installed } from '../node_face.js';
import { oneFace } from './active.js';

export { nativeSide } from './face.js';
export type { Installed };

/**
 * Every net.Socket that connects from now on, and every net.Server that listens, is served by this
 * package; those that are open stay as they are. Where a part of Node that this needs is missing,
 * nothing changes.
 */
export function installNet(): Installed {
  return oneFace.install();
}

/** New ones are Node's again; those that are open stay as they are. */
export function uninstallNet(): void {
  oneFace.uninstall();
}
