// In the place of node:net for the whole process.
import { faceOf } from './active.js';

export interface Installed {
  /** Sockets and servers of node:net are served by this package from now on. */
  active: boolean;
  /** Why not. */
  reason?: string;
}

/**
 * Every net.Socket that connects from now on, and every net.Server that listens, is served by this
 * package; those that are open stay as they are. Where a part of Node that this needs is missing,
 * nothing changes.
 */
export function installNet(): Installed {
  const { face, reason } = faceOf();
  if (face === undefined) return { active: false, reason };
  face.everywhere = true;
  return { active: true };
}

/** New ones are Node's again; those that are open stay as they are. */
export function uninstallNet(): void {
  const { face } = faceOf();
  if (face !== undefined) face.everywhere = false;
}
