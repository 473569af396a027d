// `new Request(ours)` and `fetch(ours)`. The platform's look into private members that only its own
// objects have, so what stands in their place in the global object makes one of those first. All
// else about them is as it was.
import { LightRequest, REAL } from './request.js';

/** Says that a function is one of these, also to another copy of this package. */
const ADOPTS = Symbol.for('ringpoll.adopts');

type Marked = { [ADOPTS]?: boolean };

let done = false;

/** Once for a thread. Does nothing where Node was told to have no fetch. */
export function adopt(): void {
  if (done) return;
  done = true;
  const { Request, fetch } = globalThis;
  if (Request !== undefined && !(Request as Marked)[ADOPTS]) put('Request', adoptRequest(Request));
  if (fetch !== undefined && !(fetch as Marked)[ADOPTS]) put('fetch', adoptFetch(fetch));
}

function put(name: 'Request' | 'fetch', value: object): void {
  const { enumerable } = Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
  Object.defineProperty(value, ADOPTS, { value: true });
  Object.defineProperty(value, 'name', { value: name, configurable: true });
  Object.defineProperty(globalThis, name, {
    ...{ value, enumerable: enumerable ?? true, writable: true, configurable: true },
  });
}

/** The same arguments, but for a request of ours in front. */
function adopted(given: unknown[]): unknown[] {
  const [input, init] = given as [unknown, RequestInit | undefined];
  const real = (input as { [REAL]?: LightRequest[typeof REAL] } | null | undefined)?.[REAL];
  if (typeof input !== 'object' || real === undefined) return given;
  // The body of the request is not touched when another one takes its place.
  const hasOther = init?.body !== undefined && init.body !== null;
  return [real.call(input as LightRequest, !hasOther), ...given.slice(1)];
}

function adoptRequest(platform: typeof Request): object {
  const prototype = platform.prototype;
  function Adopting(this: unknown, ...given: unknown[]): object {
    const target: unknown = new.target;
    const made = target === undefined || target === Adopting ? platform : target;
    return Reflect.construct(platform, adopted(given), made as typeof platform);
  }
  Object.setPrototypeOf(Adopting, platform);
  Object.defineProperty(Adopting, 'prototype', { value: prototype, writable: false });
  Object.defineProperty(Adopting, 'length', { value: platform.length, configurable: true });
  Object.defineProperty(prototype, 'constructor', { value: Adopting, ...HIDDEN });
  // What is made from a request by its constructor is none of ours.
  Reflect.deleteProperty(LightRequest.prototype, 'constructor');
  return Adopting;
}

const HIDDEN = { enumerable: false, writable: true, configurable: true };

function adoptFetch(platform: typeof fetch): object {
  return Object.setPrototypeOf(
    async (...given: unknown[]): Promise<Response> =>
      platform(...(adopted(given) as Parameters<typeof fetch>)),
    Object.getPrototypeOf(platform),
  );
}
