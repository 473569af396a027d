// One self-contained page of all kept results: charts without a network, by Chart.js inline.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { machineLine } from './report.mjs';

// How a case's medians are shown: one chart each.
const MEASURES = [
  ['cpuUs', 'CPU of the server, µs a message (less is better)'],
  ['p99Us', 'p99 latency, µs (less is better)'],
  ['addedMs', 'start to end, ms over an empty process (less is better)'],
];
const COLOURS = { ours: '#0b6e4f', limit: '#8a8f98', rival: '#c9713b' };

function colourOf(name) {
  if (name.startsWith('ringpoll')) return COLOURS.ours;
  return name.startsWith('c-') ? COLOURS.limit : COLOURS.rival;
}

const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** { id, title, labels, values, colours } for each case and measure that has numbers. */
export function chartsOf({ suite, medians = {} }) {
  return Object.entries(medians).flatMap(([name, competitors]) =>
    MEASURES.flatMap(([key, title]) => {
      const rows = Object.entries(competitors).filter(([, summary]) =>
        Number.isFinite(summary?.[key]),
      );
      if (rows.length === 0) return [];
      const chart = {
        ...{ id: `${suite}-${name}-${key}`, title: `${name}: ${title}` },
        labels: rows.map(([competitor]) => competitor),
        values: rows.map(([, summary]) => summary[key]),
        colours: rows.map(([competitor]) => colourOf(competitor)),
      };
      return [chart];
    }),
  );
}

function sectionOf(data, charts) {
  const failed = (data.trials ?? []).filter(({ error }) => error !== undefined).length;
  const facts = [
    data.machine ? machineLine(data.machine) : '',
    failed ? `${failed} failed trials` : '',
  ];
  const boxes = charts.map(({ id, labels }) => {
    const height = `height:${60 + labels.length * 26}px`;
    return `<div class="chart" style="${height}"><canvas id="${escaped(id)}"></canvas></div>`;
  });
  return `<h2>${escaped(data.suite)}</h2>
<p>${escaped(facts.filter(Boolean).join('. '))}</p>
<div class="charts">${boxes.join('\n')}</div>`;
}

// Runs in the page.
const DRAW = `
for (const { id, title, labels, values, colours } of CHARTS) {
  new Chart(document.getElementById(id), {
    type: 'bar',
    data: { labels, datasets: [{ data: values, backgroundColor: colours }] },
    options: {
      indexAxis: 'y',
      animation: false,
      maintainAspectRatio: false,
      plugins: { legend: { display: false }, title: { display: true, text: title } },
      scales: { x: { beginAtZero: true } },
    },
  });
}`;

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1100px; padding: 0 1rem }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); gap: 1.5rem }
.chart { position: relative }
.key span { display: inline-block; width: 1em; height: 1em; margin: 0 .4em 0 1em }`;

/** Writes report.html beside the results in `folder`; returns its path. */
export function writeHtmlReport(folder) {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  const suites = files.sort().map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')));
  const sections = suites
    .filter((data) => data.suite !== undefined)
    .map((data) => ({ data, charts: chartsOf(data) }))
    .filter(({ charts }) => charts.length > 0);
  const library = createRequire(import.meta.url).resolve('chart.js');
  const script = join(library, '..', 'chart.umd.min.js');
  if (!existsSync(script)) throw new Error('chart.js is not installed: npm install');
  const charts = sections.flatMap((section) => section.charts);
  const data = JSON.stringify(charts).replaceAll('<', '\\u003c');
  const key = ['ours', 'limit', 'rival'].map(
    (name) => `<span style="background:${COLOURS[name]}"></span>${name}`,
  );
  const page = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>ringpoll benchmarks</title><style>${STYLE}</style>
<h1>ringpoll benchmarks</h1>
<p class="key">Medians of all rounds; every trial is in the JSON here.${key.join('')}</p>
${sections.map((section) => sectionOf(section.data, section.charts)).join('\n')}
<script>${readFileSync(script, 'utf8').replaceAll('</script', '<\\/script')}</script>
<script>const CHARTS = ${data};${DRAW}</script></html>
`;
  const path = join(folder, 'report.html');
  writeFileSync(path, page);
  return path;
}
