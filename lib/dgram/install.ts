// In the place of node:dgram for the whole process.
import { faceOf } from './active.js';

export interface Installed {
  /** Sockets of node:dgram are served by this package from now on. */
  active: boolean;
  /** Why not. */
  reason?: string;
}

/**
 * Every dgram.Socket that is made from now on is served by this package; those that are there stay
 * as they are. Where a part of Node that this needs is missing, nothing changes.
 */
export function installDgram(): Installed {
  const { face, reason } = faceOf();
  if (face === undefined) return { active: false, reason };
  face.everywhere = true;
  return { active: true };
}

/** New ones are Node's again; those that are open stay as they are. */
export function uninstallDgram(): void {
  const { face } = faceOf();
  if (face !== undefined) face.everywhere = false;
}
