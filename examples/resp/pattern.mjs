/**
 * Glob patterns over bytes: * any run, ? any one, [abc] [a-z] [^a] one of a set, \x plain x.
 * After a mismatch only the last star takes one character more, so time is at worst the product of
 * both lengths, never exponential.
 * @param {string} pattern
 * @param {string} text
 */
export function matches(pattern, text) {
  let at = 0;
  let position = 0;
  let star = -1;
  let starAt = 0;
  while (position < text.length) {
    if (pattern[at] === '*') {
      star = at;
      starAt = position;
      at += 1;
      continue;
    }
    const next = at < pattern.length ? matchOne(pattern, at, text.charCodeAt(position)) : -1;
    if (next >= 0) {
      at = next;
      position += 1;
    } else if (star >= 0) {
      starAt += 1;
      position = starAt;
      at = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at >= pattern.length;
}

/**
 * @param {string} pattern
 * @param {number} at
 * @param {number} code
 * @returns {number} where the pattern goes on, -1 when the character does not match
 */
function matchOne(pattern, at, code) {
  const character = pattern[at];
  if (character === '?') return at + 1;
  if (character === '[') return matchSet(pattern, at + 1, code);
  const literal = character === '\\' && at + 1 < pattern.length ? at + 1 : at;
  return pattern.charCodeAt(literal) === code ? literal + 1 : -1;
}

/** @param {string} pattern @param {number} start behind the bracket @param {number} code */
function matchSet(pattern, start, code) {
  const inverted = pattern[start] === '^';
  let at = inverted ? start + 1 : start;
  let found = false;
  while (at < pattern.length && pattern[at] !== ']') {
    if (pattern[at] === '\\' && at + 1 < pattern.length) {
      at += 1;
      found ||= pattern.charCodeAt(at) === code;
      at += 1;
    } else if (pattern[at + 1] === '-' && at + 2 < pattern.length) {
      const ends = [pattern.charCodeAt(at), pattern.charCodeAt(at + 2)];
      found ||= code >= Math.min(...ends) && code <= Math.max(...ends);
      at += 3;
    } else {
      found ||= pattern.charCodeAt(at) === code;
      at += 1;
    }
  }
  return found === inverted ? -1 : at + 1;
}
