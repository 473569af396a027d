// Where targets come from: a list, a file, or DNS, behind one small interface.

import { dns, fs } from '../builtins.js';
import { integer, milliseconds } from '../checks.js';
import { asError, invalidArgType, invalidArgValue } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';

/** A target, as a discovery names it. */
export interface TargetSpec {
  /** Its origin: `http://10.0.0.1:8080`. */
  url: string;
  /** Its share, over 0. Default: 1. */
  weight?: number;
}

export interface DiscoveryEvents {
  /** These are all targets from now on. */
  update(targets: readonly TargetSpec[]): void;
  /** It could not find out; the targets stay. */
  failed(error: Error): void;
}

export interface Discovery {
  /** Tells of the targets, and of each change. @returns stops that */
  watch(events: DiscoveryEvents): () => void;
}

/** Asks again and again. The first answer comes in a later turn. */
function polling(
  ask: () => Promise<readonly TargetSpec[]>,
  intervalMs: number,
  { update, failed }: DiscoveryEvents,
): () => void {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let last = '';
  const look = async () => {
    try {
      const found = await ask();
      const text = JSON.stringify(found);
      if (!stopped && text !== last) {
        last = text;
        update(found);
      }
    } catch (error) {
      if (!stopped) failed(asError(error));
    }
    if (!stopped) timer = setTimeout(look, intervalMs).unref();
  };
  void look();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

const FILE_MS = 1000;
const DNS_MS = 30_000;

/**
 * Targets in a JSON file: a list of URLs, or of objects with `url` and `weight`. It is looked at
 * every `interval` milliseconds (default 1,000); one that is no such list changes nothing.
 */
export function fileDiscovery(path: string, { interval = FILE_MS } = {}): Discovery {
  const read = async () => targetsIn(JSON.parse(await fs().promises.readFile(path, 'utf8')));
  return { watch: (events) => polling(read, interval, events) };
}

function targetsIn(value: unknown): TargetSpec[] {
  if (!Array.isArray(value)) throw invalidArgType('the list of targets', 'an array', value);
  return value.map((each) => (typeof each === 'string' ? { url: each } : (each as TargetSpec)));
}

/** What is asked: a Resolver of node:dns/promises has these. */
export interface DnsResolver {
  resolve4(name: string): Promise<string[]>;
  resolveSrv(
    name: string,
  ): Promise<{ name: string; port: number; weight: number; priority: number }[]>;
}

export interface DnsOptions {
  /** 'A' needs `port`; 'SRV' brings ports and weights, and only the best priority counts. */
  type?: 'A' | 'SRV';
  port?: number;
  /** Default: 'http:'. */
  protocol?: 'http:' | 'https:';
  /** Milliseconds between two questions. Default: 30,000. */
  interval?: number;
  /** Default: the system's servers. */
  resolver?: DnsResolver;
}

const DNS_OPTIONS = optionNames<DnsOptions>('dnsDiscovery()', {
  ...{ type: true, port: true, protocol: true, interval: true, resolver: true },
});
const PORT_MAX = 65_535;

/**
 * Targets of a name, asked for again and again. An answer without any changes nothing.
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE,
 *   _UNKNOWN_OPTION
 */
export function dnsDiscovery(name: string, options: DnsOptions = {}): Discovery {
  if (typeof name !== 'string') throw invalidArgType('name', 'a string', name);
  checkOptions(DNS_OPTIONS, options);
  const { type = 'A', protocol = 'http:' } = options;
  if (type !== 'A' && type !== 'SRV') {
    throw invalidArgValue('options.type', "'A' or 'SRV'", type);
  }
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw invalidArgValue('options.protocol', "'http:' or 'https:'", protocol);
  }
  const port = integer('options.port', options.port, 1, PORT_MAX, 80);
  const interval = milliseconds('options.interval', options.interval, DNS_MS);
  const ask = async () => {
    const resolver = options.resolver ?? dns().promises;
    const found =
      type === 'A'
        ? (await resolver.resolve4(name))
            .sort()
            .map((ip) => ({ url: `${protocol}//${ip}:${port}` }))
        : bestOf(await resolver.resolveSrv(name), protocol);
    if (found.length === 0) throw new Error(`${name} has no address`);
    return found;
  };
  return { watch: (events) => polling(ask, interval, events) };
}

function bestOf(
  records: Awaited<ReturnType<DnsResolver['resolveSrv']>>,
  protocol: string,
): TargetSpec[] {
  const best = Math.min(...records.map(({ priority }) => priority));
  return records
    .filter(({ priority }) => priority === best)
    .map(({ name, port, weight }) => ({ url: `${protocol}//${name}:${port}`, weight: weight || 1 }))
    .sort((a, b) => (a.url < b.url ? -1 : 1));
}

/** Targets that stay as they are. */
export function staticDiscovery(targets: readonly (string | TargetSpec)[]): Discovery {
  return {
    watch({ update }) {
      update(targetsIn([...targets]));
      return () => {};
    },
  };
}
