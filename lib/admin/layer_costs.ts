// What layers of a request cost, from what was measured of them. It needs no native code: the other
// side of a comparison has none.
import type { LAYERS } from '../runtime/layer_words.js';

const NS_PER_US = 1000;

export type LayerName = (typeof LAYERS)[number] | 'handler';

export interface LayerCost {
  layer: LayerName;
  /** Microseconds of a request. */
  microseconds: number;
  /** Of all of it, 0 to 1. */
  share: number;
  /** Times that the layer was entered, of a request. */
  laps: number;
}

export interface LayerCosts {
  requests: number;
  /** All layers together: microseconds of a request. */
  microseconds: number;
  layers: LayerCost[];
  /**
   * Microseconds of a request that the same time took as a whole, without waits, by clocks of its
   * own. All layers and what measuring cost are as much.
   */
  wholeMicroseconds: number;
  /** What measuring itself cost in that time, which is left out of the layers. */
  measuringMicroseconds: number;
}

/** A layer as it was measured: nanoseconds, and how often it was left. */
export interface Laps {
  layer: LayerName;
  ns: number;
  laps: number;
}

/** `clockNs` is what a look at the clock costs. */
export function costsOf(
  measured: readonly Laps[],
  requests: number,
  wholeNs: number,
  clockNs: number,
): LayerCosts {
  const of = (ns: number) => (requests === 0 ? 0 : ns / requests / NS_PER_US);
  let measuring = 0;
  const own = measured.map(({ layer, ns, laps }) => {
    // A look at the clock falls half into the lap that it ends, and half into the next one. For a
    // handler JavaScript looks twice, and one of the two lies in it.
    const cost = Math.min(ns, laps * clockNs);
    measuring += cost;
    return { layer, laps, ns: Math.max(0, ns - cost) };
  });
  const whole = own.reduce((sum, { ns }) => sum + ns, 0);
  return {
    requests,
    microseconds: of(whole),
    layers: own.map(({ layer, ns, laps }) => ({
      layer,
      microseconds: of(ns),
      share: whole === 0 ? 0 : ns / whole,
      laps: requests === 0 ? 0 : laps / requests,
    })),
    wholeMicroseconds: of(wholeNs),
    measuringMicroseconds: of(measuring),
  };
}
