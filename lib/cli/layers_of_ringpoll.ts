// Loaded into a program behind ringpoll/register: the layers of the loop that serves it.
import type { LayerCosts } from '../admin/layer_costs.js';
import { layersOf } from '../admin/layers.js';
import { LayerWord } from '../runtime/layer_words.js';
import { turnMeter } from '../runtime/turn_meter.js';
import { aroundEvents, reportTo } from './layers_side.js';

let measures = false;
let before: Float64Array = new Float64Array(0);

aroundEvents({
  isMeasuring: () => measures && turnMeter().measuresLayers,
  request(tell) {
    const from = performance.now();
    try {
      return tell();
    } finally {
      turnMeter().handlerTook(performance.now() - from);
    }
  },
});

function end(): LayerCosts {
  const meter = turnMeter();
  const words = meter.layerWords();
  meter.leave();
  measures = false;
  const since = words.map((word, at) => (at === LayerWord.clockNs ? word : word - before[at]));
  return layersOf(since);
}

reportTo(process, {
  begin() {
    const meter = turnMeter();
    meter.join();
    measures = true;
    before = meter.layerWords();
  },
  end,
});
