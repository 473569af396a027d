// Header fields as http.IncomingMessage has them.

export type Headers = Record<string, string | string[] | undefined>;

/** Of these the first one counts, and those that come again are dropped, as Node does it. */
const ONCE = new Set([
  ...['age', 'authorization', 'content-length', 'content-type', 'etag', 'expires', 'from', 'host'],
  ...['if-modified-since', 'if-unmodified-since', 'last-modified', 'location', 'max-forwards'],
  ...['proxy-authorization', 'referer', 'retry-after', 'server', 'user-agent'],
]);

/** Adds a field the way http.IncomingMessage does; `name` is in lower case. */
export function addField(to: Headers, name: string, value: string, joinAll: boolean): void {
  const before = to[name];
  if (name === 'set-cookie') {
    if (Array.isArray(before)) before.push(value);
    else to[name] = [value];
  } else if (typeof before !== 'string') {
    // Whatever Object.prototype has under this name.
    to[name] = value;
  } else if (name === 'cookie') {
    to[name] = `${before}; ${value}`;
  } else if (joinAll || !ONCE.has(name)) {
    to[name] = `${before}, ${value}`;
  }
}

/** By name in lower case, from name, value, name, value. */
export function fieldsOf(raw: readonly string[], joinAll: boolean): Headers {
  const fields: Headers = {};
  for (let i = 0; i + 1 < raw.length; i += 2) {
    addField(fields, raw[i].toLowerCase(), raw[i + 1], joinAll);
  }
  return fields;
}

/** All values of each name, as an object without a prototype. */
export function distinctOf(raw: readonly string[]): Record<string, string[]> {
  const fields: Record<string, string[]> = Object.create(null);
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i].toLowerCase();
    fields[name] ??= [];
    fields[name].push(raw[i + 1]);
  }
  return fields;
}
