// Which names an options object may have. A name that nobody knows is an error, since what it was
// meant to do would silently not happen: `hostname` for `host` would listen on every address.
import { invalidArgType, unknownOption } from './errors.js';

type KeysOf<T> = T extends unknown ? keyof T : never;

/** Exactly the names of T: the compiler complains of one that is missing, or one too many. */
export type NamesOf<T> = { readonly [Name in KeysOf<T>]-?: true };

export interface OptionNames {
  /** Whose options these are, such as "listen()". */
  readonly of: string;
  readonly names: ReadonlySet<string>;
  /** What peers call an option, and which of ours it is; or a sentence, where there is none. */
  readonly peers: Readonly<Record<string, string>>;
  /** Names that are deprecated, and those of now. */
  readonly renamed: Readonly<Record<string, string>>;
}

export function optionNames<T>(
  of: string,
  names: NamesOf<T>,
  peers: Readonly<Record<string, string>> = {},
  renamed: Readonly<Record<string, string>> = {},
): OptionNames {
  return { of, names: new Set(Object.keys(names)), peers, renamed };
}

/**
 * Refuses what is no object, and names that are unknown. An option that is undefined counts as not
 * given. Objects with a class of their own may have further members: only plain ones are checked.
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_UNKNOWN_OPTION
 */
export function checkOptions(
  known: OptionNames,
  options: unknown,
  path = 'options',
): asserts options is object {
  if (typeof options !== 'object' || options === null) {
    throw invalidArgType(path, 'an object', options);
  }
  for (const name in options) if (!known.names.has(name)) refuse(known, options, path, name);
}

function refuse(known: OptionNames, options: object, path: string, name: string): void {
  if (!isPlain(options) || !Object.hasOwn(options, name)) return;
  if ((options as Record<string, unknown>)[name] === undefined) return;
  throw unknownOption(`${path}.${name}`, known.of, advice(known, name));
}

/** Also of another realm, such as a test runner's. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function advice({ names: known, peers, renamed }: OptionNames, name: string): string {
  const names = new Set([...known].filter((each) => !Object.hasOwn(renamed, each)));
  const told = Object.hasOwn(peers, name) ? peers[name] : undefined;
  if (told !== undefined && !names.has(told)) return told;
  const meant = told ?? nearestName(name, names);
  if (meant !== undefined) return `did you mean ${meant}?`;
  return names.size === 0 ? 'it takes none' : `it takes ${[...names].join(', ')}`;
}

const SHARE_OF_ERRORS_MAX = 0.4;

/** The one of `names` that `name` was probably meant to be. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  const wanted = name.replace(/^on(?=[A-Z])|[-_]/g, '').toLowerCase();
  let nearest: string | undefined;
  let least = Math.floor(wanted.length * SHARE_OF_ERRORS_MAX) + 1;
  for (const candidate of names) {
    const errors = distance(wanted, candidate.toLowerCase(), least);
    if (errors < least) [nearest, least] = [candidate, errors];
  }
  return nearest;
}

/** How many letters to insert, remove, replace or swap; `enough` stands for all that is more. */
function distance(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}
