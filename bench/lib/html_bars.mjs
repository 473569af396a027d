// Bars with their values and how far the rounds lie apart, as tables: they need no script, are read
// by screen readers, and have the colours of the page.
import { caseInWords, kindOf } from './case_words.mjs';

// What of a case is shown: one chart each. The first one that a case has decides who wins it.
export const MEASURES = [
  { key: 'cpuUs', title: 'CPU of the server', unit: 'µs', of: 'a message' },
  { key: 'p99Us', title: 'latency, 99 of 100 below', unit: 'µs', of: '' },
  { key: 'addedMs', title: 'from start to end, more than an empty process', unit: 'ms', of: '' },
  { key: 'bytesPerConnection', title: 'memory', unit: 'bytes', of: 'a connection' },
];

export const escaped = (text) =>
  String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

export function valueText(value) {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** { id, suite, name, words, measure, rows } for each case and measure that has numbers. */
export function chartsOf({ suite, medians = {}, trials = [] }) {
  return Object.entries(medians).flatMap(([name, competitors]) =>
    MEASURES.flatMap((measure) => {
      const rows = Object.entries(competitors).flatMap(([competitor, summary]) => {
        const value = summary?.[measure.key];
        if (!Number.isFinite(value)) return [];
        const rounds = trials
          .filter((trial) => trial.case === name && trial.competitor === competitor)
          .map((trial) => trial[measure.key])
          .filter(Number.isFinite);
        const low = Math.min(value, ...rounds);
        const high = Math.max(value, ...rounds);
        return [{ competitor, kind: kindOf(competitor, suite), value, low, high }];
      });
      if (rows.length === 0) return [];
      rows.sort((a, b) => a.value - b.value);
      const id = `${suite}-${name}-${measure.key}`;
      return [{ id, suite, name, words: caseInWords(name), measure, rows }];
    }),
  );
}

export function barsOf({ id, words, measure, rows }) {
  const most = Math.max(...rows.map(({ high }) => high)) || 1;
  const share = (value) => `${((value / most) * 100).toFixed(2)}%`;
  const lines = rows.map(({ competitor, kind, value, low, high }) => {
    const apart = `left:${share(low)};width:${share(high - low)}`;
    const shown = valueText(value);
    const range = low < high ? `${valueText(low)} to ${valueText(high)}` : '';
    return `<tr class="${kind}"><th scope="row">${escaped(competitor)}</th>
<td class="bar"><div style="width:${share(value)}"></div><span style="${apart}"></span></td>
<td class="value">${shown}</td><td class="range">${range}</td></tr>`;
  });
  const what = [measure.title, measure.of, `in ${measure.unit}`].filter(Boolean);
  return `<figure id="${escaped(id)}"><h3>${escaped(words)}</h3>
<p>${escaped(what.join(', '))}: less is better</p>
<table class="bars"><thead class="hidden"><tr><th scope="col">Server</th><th scope="col">Bar</th>
<th scope="col">${escaped(measure.unit)}</th><th scope="col">Rounds</th></tr></thead>
<tbody>${lines.join('\n')}</tbody></table></figure>`;
}
