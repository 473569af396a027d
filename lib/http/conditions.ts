// Conditional requests (RFC 9110 section 13) and ranges (section 14), for something that has an
// entity tag and a time of last modification.

/** What is there. */
export interface Representation {
  size: number;
  /** With its quotes. */
  etag: string;
  /** In whole seconds since 1970. */
  modified: number;
}

export type Fields = (name: string) => string | undefined;

export interface Range {
  start: number;
  /** Behind the last byte. */
  end: number;
}

/** The status that the conditions lead to; 200: they do not stand in the way. */
export function evaluateConditions(field: Fields, what: Representation): 200 | 304 | 412 {
  const ifMatch = field('if-match');
  if (ifMatch !== undefined) {
    if (!listHas(ifMatch, what.etag, strong)) return 412;
  } else {
    const unmodifiedSince = seconds(field('if-unmodified-since'));
    if (unmodifiedSince !== undefined && what.modified > unmodifiedSince) return 412;
  }
  const ifNoneMatch = field('if-none-match');
  if (ifNoneMatch !== undefined) return listHas(ifNoneMatch, what.etag, weak) ? 304 : 200;
  const modifiedSince = seconds(field('if-modified-since'));
  return modifiedSince !== undefined && what.modified <= modifiedSince ? 304 : 200;
}

/**
 * What the Range header asks for: a range, undefined for all of it, or 'unsatisfiable'. Several
 * ranges are answered by all of it, which RFC 9110 leaves to the server.
 */
export function requestedRange(
  field: Fields,
  what: Representation,
): Range | 'unsatisfiable' | undefined {
  const asked = field('range');
  if (asked === undefined || !stillTheSame(field('if-range'), what)) return undefined;
  const parts = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(asked);
  if (parts === null) return undefined;
  const [, from, to] = parts;
  if (from === '') {
    if (to === '') return undefined;
    const last = Number(to);
    if (last === 0) return 'unsatisfiable';
    // The last bytes of nothing are all of it, and no Content-Range could say so.
    if (what.size === 0) return undefined;
    return { start: Math.max(0, what.size - last), end: what.size };
  }
  const start = Number(from);
  if (to !== '' && Number(to) < start) return undefined;
  if (start >= what.size) return 'unsatisfiable';
  return { start, end: to === '' ? what.size : Math.min(Number(to) + 1, what.size) };
}

function stillTheSame(ifRange: string | undefined, what: Representation): boolean {
  if (ifRange === undefined) return true;
  if (ifRange.startsWith('"') || ifRange.startsWith('W/')) return strong(ifRange, what.etag);
  return seconds(ifRange) === what.modified;
}

/** RFC 9110 section 8.8.3.2. */
function strong(a: string, b: string): boolean {
  return a === b && !a.startsWith('W/');
}
function weak(a: string, b: string): boolean {
  return a.replace(/^W\//, '') === b.replace(/^W\//, '');
}

function listHas(list: string, etag: string, same: (a: string, b: string) => boolean): boolean {
  if (list.trim() === '*') return true;
  const tags = list.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => same(tag, etag));
}

/** An HTTP date; undefined when it is none, and then the condition does not count. */
function seconds(text: string | undefined): number | undefined {
  if (text === undefined || !/^[A-Z][a-z]+,? .*\d{2}:\d{2}:\d{2}/.test(text)) return undefined;
  const time = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
}
