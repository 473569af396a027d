// Which modules of Node's are replaced: the variable RINGPOLL_REGISTER.

const FACES = ['net', 'http', 'dgram'] as const;
const DEFAULT = ['net', 'http'] as const;
export type Face = (typeof FACES)[number];

export interface Wanted {
  faces: ReadonlySet<Face>;
  /** Words that mean nothing. */
  unknown: string[];
}

/** Any of 'net,http,dgram', or 'off'. Default: 'net,http'. */
export function wantedFaces(text: string | undefined): Wanted {
  const words = (text ?? '').split(',').map((word) => word.trim());
  const given = words.filter((word) => word !== '');
  if (given.length === 0) return { faces: new Set(DEFAULT), unknown: [] };
  const faces = FACES.filter((face) => given.includes(face));
  const unknown = given.filter((word) => word !== 'off' && !FACES.includes(word as Face));
  return { faces: new Set(given.includes('off') ? [] : faces), unknown };
}
