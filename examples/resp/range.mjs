/** Positions and counts, as the commands about lists and sorted sets take them. */

import { notAnInteger, notPositive } from './errors.mjs';
import { parseInteger } from './integer.mjs';

/** @param {string} text @param {number} length */
function position(text, length) {
  const value = parseInteger(text);
  if (value === undefined) throw notAnInteger;
  return value < 0 ? Number(value) + length : Number(value);
}

/**
 * The part of something `length` long from `first` to `last`, both included, where negative
 * positions count from the end.
 * @param {string} first
 * @param {string} last
 * @param {number} length
 * @returns {{ start: number, end: number }} `end` is exclusive, and never below `start`
 */
export function range(first, last, length) {
  const start = Math.max(0, position(first, length));
  const end = Math.min(length, position(last, length) + 1);
  return { start, end: Math.max(start, end) };
}

/** @param {string} text @param {number} length @returns {number} may lie outside */
export function index(text, length) {
  return position(text, length);
}

/** @param {string} text */
export function positiveCount(text) {
  const value = parseInteger(text);
  if (value === undefined || value < 0) throw notPositive;
  return Number(value);
}
