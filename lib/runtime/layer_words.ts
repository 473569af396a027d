// What native code writes of layers; native/core/base/layer_clock.h has the same.

/** In the order of their words. */
export const LAYERS = [
  'loop',
  'accept',
  'read',
  'tls',
  'parse',
  'dispatch',
  'serialise',
  'write',
  'host',
] as const;

/** Nine sums of nanoseconds, nine counts of laps, and then one of each. */
export const enum LayerWord {
  ns = 0,
  laps = 9,
  turns = 18,
  requests = 19,
  active = 20,
  handlerNs = 21,
  handlerLaps = 22,
  clockNs = 23,
  turnNs = 24,
}
export const LAYER_WORDS = 32;
