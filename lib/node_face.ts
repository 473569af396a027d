// A face stands in the place of a module of Node. There is one of each in a process, tried at
// its first use, and Loop.explain() tells of it.
import { reports } from './faces.js';
import { SeamMissing } from './node_seams.js';

interface Tried<Face> {
  face?: Face;
  /** Why there is none. */
  reason?: string;
}

export interface Installed {
  /** What the module makes is served by this package from now on. */
  active: boolean;
  /** Why not. */
  reason?: string;
}

interface AnyFace {
  everywhere: boolean;
  /** Why it has stepped aside since. */
  readonly refused?: string;
}

function reportOf({ everywhere, refused: reason }: AnyFace): unknown {
  return reason === undefined
    ? { active: true, everywhere }
    : { active: false, everywhere, reason };
}

export class OneFace<Face extends AnyFace> {
  readonly #name: string;
  readonly #make: () => Face;
  #tried: Tried<Face> | undefined;

  /** `name`: in what Loop.explain() tells. */
  constructor(name: string, make: () => Face) {
    this.#name = name;
    this.#make = make;
  }

  get tried(): Tried<Face> {
    this.#tried ??= this.#try();
    return this.#tried;
  }

  #try(): Tried<Face> {
    try {
      const face = this.#make();
      reports.set(this.#name, () => reportOf(face));
      return { face };
    } catch (error) {
      if (!(error instanceof SeamMissing)) return { reason: (error as Error).message };
      const { message: reason } = error;
      reports.set(this.#name, () => ({ active: false, everywhere: false, reason }));
      return { reason };
    }
  }

  /** For the whole process, if there is a face. */
  install(): Installed {
    const { face, reason } = this.tried;
    if (face === undefined) return { active: false, reason };
    face.everywhere = true;
    return { active: true };
  }

  uninstall(): void {
    const { face } = this.tried;
    if (face !== undefined) face.everywhere = false;
  }
}
