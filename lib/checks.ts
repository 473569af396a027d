// Checks of single values that users pass: of one type, within a range, or left out.
import { invalidArgType, outOfRange } from './errors.js';

export const INT32_MAX = 2 ** 31 - 1;

/** An integer within [min, max], or the default when it is undefined. */
export function integer(
  name: string,
  value: unknown,
  min: number,
  max: number,
  otherwise: number,
): number {
  if (value === undefined) return otherwise;
  if (typeof value !== 'number') throw invalidArgType(name, 'a number', value);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw outOfRange(name, `an integer from ${min} to ${max}`, value);
  }
  return value;
}

/** A number within [min, max], or the default when it is undefined. */
export function within(
  name: string,
  value: unknown,
  min: number,
  max: number,
  otherwise: number,
): number {
  if (value === undefined) return otherwise;
  if (typeof value !== 'number') throw invalidArgType(name, 'a number', value);
  if (!(value >= min && value <= max)) throw outOfRange(name, `from ${min} to ${max}`, value);
  return value;
}

export function boolean(name: string, value: unknown, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (typeof value !== 'boolean') throw invalidArgType(name, 'a boolean', value);
  return value;
}

export function milliseconds(name: string, value: unknown, otherwise: number): number {
  return Math.ceil(within(name, value, 0, INT32_MAX, otherwise));
}
