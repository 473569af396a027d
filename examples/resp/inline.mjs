/** Inline commands: a line of words, as a person types them into telnet. */

const escapes = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['b', '\b'],
  ['a', '\x07'],
]);

/**
 * Splits a line at its white space. "Double quotes" take escapes (\n \r \t \b \a \xHH, any other
 * character stands for itself), 'single quotes' only \'.
 * @param {string} line one character a byte
 * @returns {string[] | null} null when a quote is not closed, or something touches its closing
 */
export function splitWords(line) {
  /** @type {string[]} */
  const words = [];
  let at = 0;
  for (;;) {
    while (at < line.length && isSpace(line[at])) at += 1;
    if (at === line.length) return words;
    let word = '';
    while (at < line.length && !isSpace(line[at])) {
      if (line[at] !== '"' && line[at] !== "'") {
        word += line[at];
        at += 1;
        continue;
      }
      const quoted = line[at] === '"' ? readDouble(line, at + 1) : readSingle(line, at + 1);
      if (quoted === null) return null;
      word += quoted.text;
      at = quoted.end;
      if (at < line.length && !isSpace(line[at])) return null;
    }
    words.push(word);
  }
}

/** @param {string} line @param {number} start */
function readDouble(line, start) {
  let text = '';
  let at = start;
  while (at < line.length) {
    const character = line[at];
    if (character === '"') return { text, end: at + 1 };
    if (character !== '\\' || at + 1 === line.length) {
      text += character;
      at += 1;
      continue;
    }
    const hexadecimal = /^x([0-9a-fA-F]{2})/.exec(line.slice(at + 1, at + 4));
    if (hexadecimal) {
      text += String.fromCharCode(Number.parseInt(hexadecimal[1], 16));
      at += 4;
    } else {
      text += escapes.get(line[at + 1]) ?? line[at + 1];
      at += 2;
    }
  }
  return null;
}

/** @param {string} line @param {number} start */
function readSingle(line, start) {
  let text = '';
  let at = start;
  while (at < line.length) {
    if (line[at] === "'") return { text, end: at + 1 };
    const escaped = line[at] === '\\' && line[at + 1] === "'";
    text += escaped ? "'" : line[at];
    at += escaped ? 2 : 1;
  }
  return null;
}

/** @param {string} character */
function isSpace(character) {
  return character === ' ' || (character >= '\t' && character <= '\r') || character === '\0';
}
