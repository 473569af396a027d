// Makes our Headers, Request and Response instances of the platform's. To touch those loads the
// platform's fetch, which takes longer than to load all of ringpoll: so it waits for the first of
// ours that is made.

type Name = 'Headers' | 'Request' | 'Response';

const prototypes: [prototype: object, name: Name][] = [];

/** Whether join() is still to be called: each of our constructors asks first. */
export let apart = true;

/** What join() is to do for a class. */
export function joinLater(prototype: object, name: Name): void {
  prototypes.push([prototype, name]);
}

/** From here on `ours instanceof Theirs` holds for all that was made and will be. */
export function join(): void {
  apart = false;
  for (const [prototype, name] of prototypes) {
    const platform = globalThis[name];
    // Node can be told to have no fetch.
    if (platform !== undefined) Object.setPrototypeOf(prototype, platform.prototype);
  }
}
