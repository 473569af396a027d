// The one face of the process, tried at its first use.
import { runtime } from '../runtime/runtime.js';
import { Face } from './face.js';
import { SeamMissing } from './seams.js';

interface Tried {
  face?: Face;
  /** Why there is none. */
  reason?: string;
}

let tried: Tried | undefined;

export function faceOf(): Tried {
  tried ??= tryFace();
  return tried;
}

function tryFace(): Tried {
  try {
    const face = new Face();
    runtime().reports.set('dgram', () => ({ active: true, everywhere: face.everywhere }));
    return { face };
  } catch (error) {
    if (!(error instanceof SeamMissing)) return { reason: (error as Error).message };
    const { message: reason } = error;
    runtime().reports.set('dgram', () => ({ active: false, everywhere: false, reason }));
    return { reason };
  }
}
