// What a request costs, layer by layer: from the turns that native code has measured.
import { LAYERS, LayerWord } from '../runtime/layer_words.js';
import type { TurnMeter } from '../runtime/turn_meter.js';

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

export interface Layers {
  /** One turn in 61 is measured. */
  turns: number;
  requests: number;
  /** All layers together: microseconds of a request. */
  microseconds: number;
  layers: LayerCost[];
  /** What measuring itself cost in these turns, which is left out above. */
  measuringMicroseconds: number;
}

/** The order of a request's way. */
const ORDER: readonly LayerName[] = [
  ...(['loop', 'accept', 'read', 'tls', 'parse', 'dispatch', 'handler'] as const),
  ...(['serialise', 'write', 'host'] as const),
];

/** Since measuring began. */
export function layersOf(meter: TurnMeter): Layers {
  const words = meter.layerWords();
  const requests = words[LayerWord.requests];
  const clockNs = words[LayerWord.clockNs];
  const ns = new Map<LayerName, number>();
  const laps = new Map<LayerName, number>();
  LAYERS.forEach((layer, index) => {
    ns.set(layer, words[LayerWord.ns + index]);
    laps.set(layer, words[LayerWord.laps + index]);
  });
  const handlerLaps = words[LayerWord.handlerLaps];
  ns.set('handler', words[LayerWord.handlerNs]);
  laps.set('handler', handlerLaps);
  ns.set('dispatch', (ns.get('dispatch') ?? 0) - words[LayerWord.handlerNs]);
  let measuring = 0;
  const own = new Map<LayerName, number>();
  for (const layer of ORDER) {
    // A look at the clock falls half into the lap that it ends, and half into the next one. For a
    // handler JavaScript looks twice, and one of the two lies in it.
    const cost = Math.min(ns.get(layer) ?? 0, (laps.get(layer) ?? 0) * clockNs);
    measuring += cost;
    own.set(layer, Math.max(0, (ns.get(layer) ?? 0) - cost));
  }
  const of = (value: number) => (requests === 0 ? 0 : value / requests);
  const whole = [...own.values()].reduce((sum, each) => sum + each, 0);
  return {
    turns: words[LayerWord.turns],
    requests,
    microseconds: of(whole) / NS_PER_US,
    layers: ORDER.map((layer) => ({
      layer,
      microseconds: of(own.get(layer) ?? 0) / NS_PER_US,
      share: whole === 0 ? 0 : (own.get(layer) ?? 0) / whole,
      laps: of(laps.get(layer) ?? 0),
    })),
    measuringMicroseconds: of(measuring) / NS_PER_US,
  };
}
