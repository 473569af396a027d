// Paths as the URL standard writes them: `.` and `..` resolved, percent-encoded ones too, `\` taken
// for `/`, and encoded what may not stand there as it is. Whoever decides by a path must see what a
// handler gets out of `new URL(request.url)`.

/**
 * What may be different in a URL. It takes some for odd that is not, e.g. in a query; nothing that
 * is odd is overlooked.
 */
const ODD = /[^\w~!$&()*+,;=:@/?.%-]|\/(?:\.|%2e)/i;
const SOMEWHERE = 'http://a';
const HIGH = /[\x80-\xff]/g;

/** True: a URL may write this path, or path and query, in another way. */
export function isOdd(target: string): boolean {
  return ODD.test(target);
}

/** A target whose bytes over 127, which only `lenient` lets through, are percent-encoded. */
export function encodedBytes(target: string): string {
  return target.replace(HIGH, (unit) => `%${unit.charCodeAt(0).toString(16).toUpperCase()}`);
}

let lastPath = '/';
let lastNormal = '/';

/** The pathname of the URL that has this path of a request; it begins with '/'. */
export function normalPath(path: string): string {
  if (path === lastPath) return lastNormal;
  const normal = isOdd(path) ? new URL(SOMEWHERE + encodedBytes(path)).pathname : path;
  lastPath = path;
  lastNormal = normal;
  return normal;
}

/** The same for a path that a programmer wrote, in any script. */
export function normalKey(path: string): string {
  return new URL(SOMEWHERE + path).pathname;
}
