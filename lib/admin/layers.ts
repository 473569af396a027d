// What a request costs, layer by layer: from the turns that native code has measured.
import { LAYERS, LayerWord } from '../runtime/layer_words.js';
import { turnMeter } from '../runtime/turn_meter.js';
import { costsOf, type Laps, type LayerCosts, type LayerName } from './layer_costs.js';

export interface Layers extends LayerCosts {
  /** One turn in 61 is measured. */
  turns: number;
}

/** The order of a request's way. */
const ORDER: readonly LayerName[] = [
  ...(['loop', 'accept', 'read', 'tls', 'parse', 'dispatch', 'handler'] as const),
  ...(['serialise', 'write', 'host'] as const),
];

/** From words of native code. */
export function layersOf(words: Float64Array): Layers {
  const handlerNs = words[LayerWord.handlerNs];
  const measured = ORDER.map((layer): Laps => {
    if (layer === 'handler') return { layer, ns: handlerNs, laps: words[LayerWord.handlerLaps] };
    const index = LAYERS.indexOf(layer);
    const ns = words[LayerWord.ns + index] - (layer === 'dispatch' ? handlerNs : 0);
    return { layer, ns, laps: words[LayerWord.laps + index] };
  });
  const requests = words[LayerWord.requests];
  const costs = costsOf(measured, requests, words[LayerWord.turnNs], words[LayerWord.clockNs]);
  return { turns: words[LayerWord.turns], ...costs };
}

/**
 * What each layer of a request costs on this thread, since something began to measure: admin(), or
 * a server with `metrics: true`. Without that there are no requests in it.
 */
export const layers = (): Layers => layersOf(turnMeter().layerWords());
