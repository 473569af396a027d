// Makes our Headers, Request and Response instances of the platform's. To touch those loads the
// platform's fetch, which takes longer than to load all of ringpoll: so it waits for the first of
// ours that is made.

type Name = 'Headers' | 'Request' | 'Response';

const prototypes: [prototype: object, name: Name][] = [];

/** Whether linkPrototypes() has been called: each of our constructors asks first. */
export let prototypesLinked = false;

/** What linkPrototypes() is to do for a class. */
export function linkLater(prototype: object, name: Name): void {
  prototypes.push([prototype, name]);
  Object.defineProperty(prototype.constructor, 'name', { value: name, configurable: true });
}

/** From here on `ours instanceof Theirs` holds for all that was made and will be. */
export function linkPrototypes(): void {
  prototypesLinked = true;
  for (const [prototype, name] of prototypes) {
    // Node can be told to have no fetch.
    const platform = globalThis[name]?.prototype;
    if (platform === undefined) continue;
    Object.setPrototypeOf(prototype, platform);
    likeThose(prototype, platform);
  }
}

/** The members of an interface are enumerable, and programs that copy objects rely on it. */
function likeThose(prototype: object, platform: object): void {
  for (const key of Reflect.ownKeys(prototype)) {
    const ours = Object.getOwnPropertyDescriptor(prototype, key);
    const theirs = Object.getOwnPropertyDescriptor(platform, key);
    if (ours === undefined || theirs === undefined) continue;
    Object.defineProperty(prototype, key, { ...ours, enumerable: theirs.enumerable });
  }
}
