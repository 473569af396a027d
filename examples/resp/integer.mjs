/**
 * 64-bit signed integers, as Redis counts: a Number where that is exact, a BigInt at the edges.
 * @typedef {number | bigint} Integer
 */

const minimum = -(2n ** 63n);
const maximum = 2n ** 63n - 1n;

/** Decimal texts up to this length are exact as a Number. */
const safeDigitsMax = 15;

/**
 * Reads the one decimal form that a number has: no plus sign, no leading zeros, no white space.
 * @param {string} text
 * @returns {Integer | undefined} undefined when it is not that, or does not fit 64 bits
 */
export function parseInteger(text) {
  const length = text.length;
  if (length === 0 || length > 20) return undefined;
  if (length > safeDigitsMax) {
    return /^-?[1-9][0-9]*$/.test(text) ? narrow(BigInt(text)) : undefined;
  }
  const negative = text.charCodeAt(0) === 0x2d;
  const first = negative ? 1 : 0;
  if (text.charCodeAt(first) === 0x30) return length === 1 ? 0 : undefined;
  let number = 0;
  for (let index = first; index < length; index += 1) {
    const digit = text.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    number = number * 10 + digit;
  }
  if (length === first) return undefined;
  return negative ? -number : number;
}

/**
 * @param {Integer} left
 * @param {Integer} right
 * @returns {Integer | undefined} undefined when the sum does not fit 64 bits
 */
export function addIntegers(left, right) {
  if (typeof left === 'number' && typeof right === 'number') {
    const sum = left + right;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return narrow(BigInt(left) + BigInt(right));
}

/** @param {bigint} value */
function narrow(value) {
  if (value < minimum || value > maximum) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
