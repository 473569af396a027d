/** When a key goes: what the options and commands about expiry have in common. */

import { invalidExpiry, notAnInteger } from './errors.mjs';
import { parseInteger } from './integer.mjs';

/** What an option counts: milliseconds to a unit, and whether from now on or since the epoch. */
export const expiryUnits = new Map([
  ['EX', { milliseconds: 1000, relative: true }],
  ['PX', { milliseconds: 1, relative: true }],
  ['EXAT', { milliseconds: 1000, relative: false }],
  ['PXAT', { milliseconds: 1, relative: false }],
]);

const latest = 2 ** 63;

/**
 * Milliseconds since the epoch.
 * @param {string} text
 * @param {string} unit a key of expiryUnits
 * @param {number} now
 * @param {string} command for the wording of errors
 * @param {boolean} [past] whether zero and less are taken too
 */
export function deadline(text, unit, now, command, past = false) {
  const count = parseInteger(text);
  if (count === undefined) throw notAnInteger;
  const known = /** @type {{ milliseconds: number, relative: boolean }} */ (expiryUnits.get(unit));
  const span = Number(count) * known.milliseconds;
  const time = known.relative ? now + span : span;
  if ((!past && count <= 0) || Math.abs(span) >= latest || time >= latest) {
    throw invalidExpiry(command);
  }
  return time;
}
