// One self-contained page of all kept results: a summary, and bars for each case. Without a script,
// and in the look of the live page, whose colours it has.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KINDS } from './case_words.mjs';
import { barsOf, chartsOf, escaped } from './html_bars.mjs';
import { summaryOf } from './html_summary.mjs';
import { machineLine } from './report.mjs';

const file = (path) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');

function sectionOf({ data, charts }) {
  const failed = (data.trials ?? []).filter(({ error }) => error !== undefined).length;
  const { rounds, seconds } = data.settings ?? {};
  const facts = [
    data.machine ? `${machineLine(data.machine)}.` : '',
    rounds === undefined ? '' : `${rounds} rounds of ${seconds} s.`,
    failed > 0 ? `${failed} trials failed: the JSON says why.` : '',
    ...Object.entries(data.missing ?? {}).map(([name, why]) => `Without ${name}: ${why}.`),
  ];
  return `<section id="suite-${escaped(data.suite)}"><h2>${escaped(data.suite)}</h2>
<p>${escaped(facts.filter(Boolean).join(' '))}</p>
<div class="charts">${charts.map(barsOf).join('\n')}</div></section>`;
}

function contentsOf(sections) {
  const suites = sections.map(({ data, charts }) => {
    const cases = charts.map(
      ({ id, words, measure }) =>
        `<li><a href="#${escaped(id)}">${escaped(`${words}: ${measure.title}`)}</a></li>`,
    );
    return `<li><a href="#suite-${escaped(data.suite)}">${escaped(data.suite)}</a>
<details><summary>${cases.length} charts</summary><ul>${cases.join('')}</ul></details></li>`;
  });
  return `<nav aria-label="Contents"><ul><li><a href="#summary">Who needs least</a></li>
${suites.join('\n')}</ul></nav>`;
}

const legend = () =>
  Object.entries(KINDS)
    .map(([kind, words]) => `<li class="${kind}"><i></i>${escaped(words)}</li>`)
    .join('');

/** The page of these results. */
export function htmlReport(suites) {
  const sections = suites
    .filter((data) => data.suite !== undefined)
    .map((data) => ({ data, charts: chartsOf(data) }))
    .filter(({ charts }) => charts.length > 0);
  const style = file('../../lib/admin/page/base.css') + file('./html.css');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>ringpoll, benchmarks</title>
<link rel="icon" href="data:,"><style>${style}</style></head><body>
<header><h1>ringpoll, benchmarks</h1>
<p>Bars are medians of all rounds; the thin line reaches from the lowest round to the highest. Every
trial is in the JSON beside this page.</p><ul class="key">${legend()}
<li class="spread"><i></i>lowest to highest round</li></ul></header>
${contentsOf(sections)}
<main>${summaryOf(sections)}
${sections.map(sectionOf).join('\n')}</main></body></html>
`;
}

/** Writes report.html beside the results in `folder`; returns its path. */
export function writeHtmlReport(folder) {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const suites = files.sort().map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
  const path = join(folder, 'report.html');
  writeFileSync(path, htmlReport(suites));
  return path;
}
