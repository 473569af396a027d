// The addresses of a name, for connect().
import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { net } from '../builtins.js';
import { INT32_MAX, integer } from '../checks.js';
import { invalidArgType, invalidArgValue } from '../errors.js';
import type { NamesOf } from '../option_names.js';
import type { Target } from '../runtime/system_error.js';

/** As `dns.lookup` of Node. It is called with `all: true`, and may answer one address too. */
export type LookupFunction = (
  hostname: string,
  options: LookupAllOptions,
  callback: (
    error: Error | null,
    addresses: string | LookupAddress[],
    family?: number | string,
  ) => void,
) => void;

export interface LookupOptions {
  /** Looks names up in the place of the system. Default: `dns.lookup` of Node. */
  lookup?: LookupFunction;
  /** Addresses of this family alone, 4 or 6. Default: 0, both. */
  family?: 0 | 4 | 6;
  /** The flags of `dns.lookup`, such as `dns.ADDRCONFIG`. Default: 0. */
  hints?: number;
}

export const LOOKUP: NamesOf<LookupOptions> = { lookup: true, family: true, hints: true };

export function checkLookup({ lookup, family, hints }: LookupOptions): Required<LookupOptions> {
  if (lookup !== undefined && typeof lookup !== 'function') {
    throw invalidArgType('options.lookup', 'a function', lookup);
  }
  if (family !== undefined && family !== 0 && family !== 4 && family !== 6) {
    throw invalidArgValue('options.family', '0, 4 or 6', family);
  }
  return {
    lookup: lookup ?? systems,
    family: family ?? 0,
    hints: integer('options.hints', hints, 0, INT32_MAX, 0),
  };
}

// Loaded when a name comes up: most programs never resolve one here.
const systems: LookupFunction = (hostname, options, callback) => {
  import('node:dns').then(({ lookup }) => lookup(hostname, options, callback));
};

/** At least one, in the order in which they are to be tried. */
export async function targetsOf(
  goal: Target,
  { lookup, family, hints }: Required<LookupOptions>,
  signal: AbortSignal | undefined,
): Promise<Target[]> {
  const { host, port } = goal;
  if (host === undefined || net().isIP(host) !== 0) return [goal];
  const found = new Promise<string[]>((resolve, reject) => {
    lookup(host, { all: true, family, hints }, (error, answer) => {
      if (error) reject(error);
      else resolve(typeof answer === 'string' ? [answer] : answer.map(({ address }) => address));
    });
  });
  const addresses = await unlessAborted(found, signal);
  const wrong = addresses.find((address) => net().isIP(address) === 0);
  if (addresses.length === 0 || wrong !== undefined) {
    throw invalidArgValue('What options.lookup answers', 'at least one IP address', wrong);
  }
  return addresses.map((address) => ({ host: address, port }));
}

/** The first address, then one of the other family, and so on: RFC 8305, section 4. */
export function interleaved(targets: Target[]): Target[] {
  const isFirst = ({ host }: Target) =>
    net().isIP(host ?? '') === net().isIP(targets[0].host ?? '');
  const firsts = targets.filter(isFirst);
  const others = targets.filter((target) => !isFirst(target));
  const longest = Math.max(firsts.length, others.length);
  return Array.from({ length: longest }, (_, i) => [firsts[i], others[i]])
    .flat()
    .filter((target) => target !== undefined);
}

/** What cannot be stopped goes on, but nobody waits for it. */
function unlessAborted<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return result;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
  });
}
