// What a reader wants first: in how many cases ringpoll needs less than the best of the others, by
// how much, and where it does not.
import { escaped, MEASURES, valueText } from './html_bars.mjs';

/** Within so much of each other nobody wins. */
const EVEN = 0.02;

const best = (rows, kind) => rows.find((row) => row.kind === kind);

/** The best of ours against the best of the others, for each case that has both. */
export function duels(charts) {
  const seen = new Set();
  return charts.flatMap((chart) => {
    const case_ = `${chart.suite} ${chart.name}`;
    const ours = best(chart.rows, 'ours');
    const rival = best(chart.rows, 'rival');
    if (seen.has(case_) || ours === undefined || !(rival?.value > 0)) return [];
    seen.add(case_);
    const ratio = ours.value / rival.value;
    const verdict = ratio < 1 - EVEN ? 'less' : ratio > 1 + EVEN ? 'more' : 'even';
    return [{ chart, ours, rival, limit: best(chart.rows, 'limit'), ratio, verdict }];
  });
}

const VERDICTS = { less: 'ringpoll', more: 'other', even: 'even' };

function rowOf({ chart, ours, rival, limit, ratio, verdict }) {
  const { id, words, measure } = chart;
  const winner = verdict === 'more' ? rival.competitor : VERDICTS[verdict];
  const cell = (row) =>
    row === undefined ? '' : `${valueText(row.value)} <small>${escaped(row.competitor)}</small>`;
  const link = `<a href="#${escaped(id)}">${escaped(words)}</a>`;
  return `<tr class="${verdict}"><th scope="row">${link}</th>
<td>${escaped(`${measure.unit} ${measure.of}`.trim())}</td><td>${cell(ours)}</td>
<td>${cell(rival)}</td><td>${cell(limit)}</td><td>${ratio.toFixed(2)} ×</td>
<td class="verdict">${escaped(winner)}</td></tr>`;
}

export function summaryOf(sections) {
  const parts = sections.flatMap(({ data, charts }) => {
    const found = duels(charts);
    if (found.length === 0) return [];
    const count = (verdict) => found.filter((duel) => duel.verdict === verdict).length;
    const ratios = found.map(({ ratio }) => ratio).sort((a, b) => a - b);
    const said = [
      `less in ${count('less')} of ${found.length} cases`,
      count('even') > 0 ? `as much in ${count('even')}` : '',
      count('more') > 0 ? `more in ${count('more')}` : '',
    ];
    const range = `${ratios[0].toFixed(2)} to ${ratios.at(-1).toFixed(2)} times`;
    const head = ['Case', 'Unit', 'ringpoll', 'Best other', 'C', 'Ratio', 'Needs least'];
    const columns = head.map((name) => `<th scope="col">${name}</th>`).join('');
    return [
      `<section class="card"><h3>${escaped(data.suite)}</h3>
<p>ringpoll needs ${escaped(said.filter(Boolean).join(', '))}: ${range} what the best of the others
needs.</p><div class="wide" tabindex="0" role="region" aria-label="Summary: ${escaped(data.suite)}">
<table class="summary"><thead><tr>${columns}</tr></thead>
<tbody>${found.map(rowOf).join('\n')}</tbody></table></div></section>`,
    ];
  });
  const measures = MEASURES.map(({ title }) => title).join(', ');
  return `<h2 id="summary">Who needs least</h2>
<p>The best engine of ringpoll against the best of the others, in each case by the first of these
that was measured: ${escaped(measures)}. Within ${EVEN * 100} % of each other nobody wins.</p>
<div class="cards">${parts.join('\n')}</div>`;
}
