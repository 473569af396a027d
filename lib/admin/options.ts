// The options of admin(), their defaults and their checks.
import { crypto } from '../builtins.js';
import { boolean, integer } from '../checks.js';
import { invalidArgType, invalidArgValue } from '../errors.js';
import type { Watchdog } from '../loop/watchdog.js';
import { checkOptions, optionNames } from '../option_names.js';
import type { HybridScheduler } from '../scheduler/index.js';
import type { LoopGroup } from '../threads/index.js';
import { ADMIN_TOKEN, ADMIN_TOKEN_FORM } from '../token.js';
import { type Alarm, type AlarmLimits, checkAlarms } from './alarms.js';

export interface AdminOptions {
  /** 0 lets the system choose. Default: 6060. */
  port?: number;
  /** An IP address or 'localhost'. Default: '127.0.0.1'. Any other than loopback needs a token. */
  host?: string;
  /**
   * What a client has to show: 16 to 256 letters, digits and -._~+/=. false: nothing, on loopback
   * only; there is no heap snapshot then. Default: 32 random characters, see `url`.
   */
  token?: string | false;
  /** Names that Host may have beside addresses and localhost, such as 'admin.internal'. */
  allowedHosts?: readonly string[];
  /** Whose tasks and queues are shown. Default: none. */
  scheduler?: HybridScheduler;
  /** Whose threads are shown side by side. Default: none. */
  group?: LoopGroup;
  /** Whose overruns are shown, with the tasks that caused them. Default: none. */
  watchdog?: Watchdog;
  /** What /ready asks. Default: whether no HTTP server of this thread is stopping. */
  ready?: () => boolean;
  /** Milliseconds between two reports of the live page, 100 to 60,000. Default: 1,000. */
  interval?: number;
  /** Requests of all HTTP servers of this thread are measured. Default: true. */
  requests?: boolean;
  /** What raises an alarm; false: nothing does. Default: true, with the limits of AlarmLimits. */
  alarms?: boolean | AlarmLimits;
  /** Hears of alarms: of each at most once an interval, with the worst of that time. */
  alarm?: (alarm: Alarm) => unknown;
}

const OPTIONS = optionNames<AdminOptions>('admin()', {
  port: true,
  host: true,
  token: true,
  allowedHosts: true,
  scheduler: true,
  group: true,
  watchdog: true,
  ready: true,
  interval: true,
  requests: true,
  alarms: true,
  alarm: true,
});

export interface CheckedOptions {
  port: number;
  host: string;
  /** undefined: none is asked for. */
  token: string | undefined;
  allowedHosts: ReadonlySet<string>;
  scheduler: HybridScheduler | undefined;
  group: LoopGroup | undefined;
  watchdog: Watchdog | undefined;
  ready: (() => boolean) | undefined;
  interval: number;
  requests: boolean;
  /** undefined: there are none. */
  alarms: ReturnType<typeof checkAlarms>;
  alarm: ((alarm: Alarm) => unknown) | undefined;
}

const PORT = 6060;
const INTERVAL_MS = 1000;
const TOKEN_BYTES = 24;
const HOST_FORM = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

/** Names and addresses that lead to this machine alone. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

function tokenOf(token: unknown, host: string): string | undefined {
  if (token === undefined) return crypto().randomBytes(TOKEN_BYTES).toString('base64url');
  if (token === false) {
    if (isLoopback(host)) return undefined;
    throw invalidArgValue('options.token', 'a token, since options.host is no loopback', token);
  }
  if (typeof token !== 'string') throw invalidArgType('options.token', 'a string or false', token);
  if (ADMIN_TOKEN.test(token)) return token;
  // Not with its value: messages are logged.
  throw invalidArgValue('options.token', ADMIN_TOKEN_FORM, `${token.length} characters`);
}

function hostsOf(value: unknown): ReadonlySet<string> {
  if (value === undefined) return new Set();
  if (!Array.isArray(value)) throw invalidArgType('options.allowedHosts', 'an array', value);
  for (const name of value) {
    if (typeof name !== 'string' || !HOST_FORM.test(name)) {
      throw invalidArgValue('options.allowedHosts', 'made of host names in lower case', name);
    }
  }
  return new Set(value);
}

/** @throws TypeError, RangeError */
export function checkAdminOptions(options: AdminOptions): CheckedOptions {
  checkOptions(OPTIONS, options);
  const { host = '127.0.0.1', scheduler, group, watchdog, ready, alarm } = options;
  if (typeof host !== 'string') throw invalidArgType('options.host', 'a string', host);
  if (ready !== undefined && typeof ready !== 'function') {
    throw invalidArgType('options.ready', 'a function', ready);
  }
  if (alarm !== undefined && typeof alarm !== 'function') {
    throw invalidArgType('options.alarm', 'a function', alarm);
  }
  if (scheduler !== undefined && typeof scheduler?.tasks !== 'function') {
    throw invalidArgType('options.scheduler', 'a HybridScheduler', scheduler);
  }
  if (group !== undefined && typeof group?.metrics !== 'function') {
    throw invalidArgType('options.group', 'a LoopGroup', group);
  }
  if (watchdog !== undefined && typeof watchdog?.report !== 'function') {
    throw invalidArgType('options.watchdog', 'a Watchdog', watchdog);
  }
  return {
    port: integer('options.port', options.port, 0, 65535, PORT),
    host,
    token: tokenOf(options.token, host),
    allowedHosts: hostsOf(options.allowedHosts),
    scheduler,
    group,
    watchdog,
    ready,
    interval: integer('options.interval', options.interval, 100, 60_000, INTERVAL_MS),
    requests: boolean('options.requests', options.requests, true),
    alarms: checkAlarms(options.alarms),
    alarm,
  };
}
