// Observers of performance: those of type 'http' get an entry for each request that is served
// natively, as they do for those that Node serves. Node hands entries over by a private method;
// where it is missing, there are none.
import { PerformanceEntry, PerformanceObserver, performance } from 'node:perf_hooks';
import { describedSymbol } from '../node_seams.js';

type Options = { type?: unknown; entryTypes?: unknown };
type Take = (this: PerformanceObserver, entry: object) => void;

const prototype = PerformanceObserver.prototype as unknown as Record<PropertyKey, unknown>;
const takes = describedSymbol(PerformanceObserver.prototype, 'kMaybeBuffer');
const observers = new Set<PerformanceObserver>();
/** When a request came whose response is not over. */
const begun = new WeakMap<object, number>();

if (takes !== undefined) {
  const { observe, disconnect } = PerformanceObserver.prototype;
  prototype.observe = function (this: PerformanceObserver, options: Options) {
    Reflect.apply(observe, this, [options]);
    // Node has checked them.
    const { type, entryTypes } = options;
    const isHttp = type === 'http' || (Array.isArray(entryTypes) && entryTypes.includes('http'));
    if (isHttp) observers.add(this);
    else if (entryTypes !== undefined) observers.delete(this);
  };
  prototype.disconnect = function (this: PerformanceObserver) {
    Reflect.apply(disconnect, this, []);
    observers.delete(this);
  };
}

/** Somebody asks for entries of requests. */
export function isObserved(): boolean {
  return observers.size > 0;
}

/** The request of this response has come. */
export function began(response: object): void {
  begun.set(response, performance.now());
}

interface Request {
  method?: string;
  url?: string;
  headers: object;
}
interface Response {
  statusCode: number;
  statusMessage: string;
  getHeaders(): object;
}

/** It has been answered: whoever observes gets the entry. */
export function answered({ method, url, headers }: Request, response: Response): void {
  const startTime = begun.get(response);
  if (startTime === undefined || takes === undefined) return;
  begun.delete(response);
  const { statusCode, statusMessage } = response;
  const fields = {
    name: 'HttpRequest',
    entryType: 'http',
    startTime,
    duration: performance.now() - startTime,
    detail: {
      req: { method, url, headers: { ...headers } },
      res: { statusCode, statusMessage, headers: response.getHeaders() },
    },
  };
  // Node's class makes none but its own: these have what its getters would read.
  const entry = Object.create(PerformanceEntry.prototype) as object;
  for (const [name, value] of Object.entries(fields)) {
    Object.defineProperty(entry, name, { value, enumerable: true, configurable: true });
  }
  Object.defineProperty(entry, 'toJSON', { value: () => fields, configurable: true });
  for (const observer of observers) (prototype[takes] as Take).call(observer, entry);
}
