// Certificates and keys in files, which are read again when they change.
import { fs } from '../builtins.js';
import { invalidArgType, invalidArgValue } from '../errors.js';
import type { SecureContextOptions } from './secure_context.js';

export interface FileOptions {
  /** Paths of files in the place of `cert`: chains in PEM or DER. */
  certFile?: string | readonly string[];
  /** Paths of files in the place of `key`. */
  keyFile?: string | readonly string[];
  /** Paths of files in the place of `ca`. */
  caFile?: string | readonly string[];
  /**
   * The files are read again when they change, half a second after the last change. New
   * connections get what is in them then. What cannot be used is told to the handler `tlsError`,
   * and the listener keeps what it had. Default: false.
   */
  watch?: boolean;
}

export interface CheckedFiles {
  readonly paths: readonly string[];
  readonly watch: boolean;
  /** `make` gets the options with the content of the files; that of keys is wiped behind it. */
  use<T>(make: (options: SecureContextOptions) => T): T;
}

const IN_PLACE_OF = [
  ['certFile', 'cert'],
  ['keyFile', 'key'],
  ['caFile', 'ca'],
] as const;
const FILES_MAX = 64;

function pathsOf(name: string, value: unknown): readonly string[] {
  const paths: unknown[] = Array.isArray(value) ? value : [value];
  if (paths.length === 0 || paths.length > FILES_MAX) {
    throw invalidArgValue(name, `a path, or an array of 1 to ${FILES_MAX}`, value);
  }
  for (const path of paths) {
    if (typeof path !== 'string') throw invalidArgType(name, 'a path, or an array of them', path);
    if (path === '' || path.includes('\0')) throw invalidArgValue(name, 'a path', path);
  }
  return paths as string[];
}

/** undefined: there are none. */
export function checkFiles(
  path: string,
  options: FileOptions & SecureContextOptions,
  others: SecureContextOptions,
): CheckedFiles | undefined {
  const lists = new Map<'cert' | 'key' | 'ca', readonly string[]>();
  for (const [file, content] of IN_PLACE_OF) {
    if (options[file] === undefined) continue;
    if (options[content] !== undefined) {
      throw invalidArgValue(`${path}.${file}`, `given without ${content}`, options[file]);
    }
    lists.set(content, pathsOf(`${path}.${file}`, options[file]));
  }
  if (lists.size === 0) {
    if (options.watch !== true) return undefined;
    throw invalidArgValue(`${path}.watch`, 'given with certFile and keyFile', true);
  }
  const use = <T>(make: (options: SecureContextOptions) => T): T => {
    const read: Record<string, Buffer[]> = {};
    try {
      for (const [content, paths] of lists) {
        const contents: Buffer[] = [];
        read[content] = contents;
        for (const each of paths) contents.push(fs().readFileSync(each));
      }
      return make({ ...others, ...read });
    } finally {
      for (const bytes of read.key ?? []) bytes.fill(0);
    }
  };
  return { paths: [...lists.values()].flat(), watch: options.watch === true, use };
}
