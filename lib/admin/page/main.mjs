// The page: it builds what view.mjs lists, and draws it anew with every report.
import { Chart } from './chart.mjs';
import { formatClock, formatSpan } from './format.mjs';
import { History } from './history.mjs';
import { CHARTS, element, fillTable, setText, TABLES, TILES } from './view.mjs';

const SPANS = [60_000, 300_000, 900_000];
const ZOOM_FACTOR = 1.5;
const LATE_FACTOR = 3.5;
const THEMES = ['auto', 'light', 'dark'];

const find = (id) => document.getElementById(id);
const history = new History(SPANS[0]);
let cursor;
let drag;
let interval = 1000;
let scheduled = false;

const tiles = TILES.map(([name, value]) => {
  const shown = element('dd', {}, ['–']);
  find('tiles').append(element('div', { className: 'tile' }, [element('dt', {}, [name]), shown]));
  return { shown, value };
});

const charts = CHARTS.map((options) => {
  const canvas = element('canvas', { tabIndex: 0, role: 'img' });
  const body = element('tbody');
  const caption = element('h2', { id: `chart-${options.id}` }, [options.title]);
  const legend = element('table', { className: 'legend' }, [body]);
  legend.setAttribute('aria-labelledby', caption.id);
  const figure = element('figure', { id: options.id }, [caption, canvas, legend]);
  find('charts').append(figure);
  const chart = new Chart(canvas, { ...options, gap: () => interval * LATE_FACTOR });
  listen(canvas, chart);
  return { options, canvas, chart, body, figure };
});

const tables = TABLES.map((options) => {
  const body = element('tbody');
  const empty = element('p', { className: 'empty' }, [options.empty]);
  const head = element('thead', {}, [
    element(
      'tr',
      {},
      options.columns.map((name, at) => {
        const className = at < (options.texts ?? 1) ? 'text' : 'number';
        return element('th', { scope: 'col', className }, [name]);
      }),
    ),
  ]);
  const table = element('table', { className: 'rows', hidden: true }, [head, body]);
  const heading = element('h2', { id: `table-${options.id}` }, [options.title]);
  table.setAttribute('aria-labelledby', heading.id);
  const wide = element('div', { className: 'wide', tabIndex: 0, role: 'region' }, [table]);
  wide.setAttribute('aria-labelledby', heading.id);
  find('tables').append(element('section', { id: options.id }, [heading, empty, wide]));
  return { options, body, empty, table };
});

function draw() {
  scheduled = false;
  const report = history.at(cursor);
  if (report === undefined) return;
  const reports = history.visible();
  const view = { ...history.range(), cursor, drag };
  for (const { shown, value } of tiles) setText(shown, value(report));
  for (const each of charts) drawChart(each, reports, report, view);
  for (const { options, body, empty, table } of tables) {
    const rows = options.rows(report);
    table.hidden = rows.length === 0;
    empty.hidden = rows.length > 0;
    fillTable(body, rows, options.columns, options.texts);
  }
  const { info, uptime } = report;
  const facts = [`ringpoll ${info.version}`, `Node.js ${info.node}`, info.engine, info.platform];
  setText(find('facts'), `${facts.join(' · ')} · process ${info.pid}, ${formatSpan(uptime)}`);
  setText(find('when'), cursor === undefined ? 'now' : `at ${formatClock(report.at)}`);
  find('reset').disabled = !history.zoomed && cursor === undefined;
}

function drawChart({ options, canvas, chart, body, figure }, reports, report, view) {
  figure.hidden = options.when !== undefined && !options.when(report);
  if (figure.hidden) return;
  chart.draw(reports, view);
  const rows = options.series.map(([name, value]) => [name, options.format(value(report))]);
  const colours = rows.map((_, index) => chart.colourOf(index));
  if (options.marks !== undefined) {
    const longest = Math.max(0, ...options.marks(report).map(([, length]) => length));
    rows.push([options.marksName, options.format(longest)]);
    colours.push(chart.markColour);
  }
  fillTable(body, rows, ['name', 'value']);
  for (const [index, colour] of colours.entries()) {
    body.rows[index].style.setProperty('--own', colour);
  }
  const values = rows.map(([name, value]) => `${name} ${value}`).join(', ');
  canvas.setAttribute('aria-label', `${options.title}: ${values}`);
}

function redraw() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(draw);
}

/** All charts have one cursor, one range, and one time axis. */
function listen(canvas, chart) {
  const timeOf = (event) => {
    const { left } = canvas.getBoundingClientRect();
    return chart.timeAt(event.clientX - left, history.range());
  };
  canvas.addEventListener('pointermove', (event) => {
    cursor = timeOf(event);
    if (drag !== undefined) drag = [drag[0], cursor];
    redraw();
  });
  canvas.addEventListener('pointerleave', () => {
    if (drag === undefined) cursor = undefined;
    redraw();
  });
  canvas.addEventListener('pointerdown', (event) => {
    if (event.pointerType !== 'mouse' || event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    drag = [timeOf(event), timeOf(event)];
  });
  canvas.addEventListener('pointerup', () => {
    if (drag !== undefined) history.zoom(Math.min(...drag), Math.max(...drag));
    drag = undefined;
    redraw();
  });
  canvas.addEventListener('dblclick', reset);
  canvas.addEventListener('keydown', (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e9, End: 1e9 };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    cursor = history.step(cursor, step);
    redraw();
  });
}

function reset() {
  history.reset();
  cursor = drag = undefined;
  redraw();
}

function pause() {
  history.paused = !history.paused;
  const button = find('pause');
  button.setAttribute('aria-pressed', String(history.paused));
  setText(button, history.paused ? 'Go on' : 'Pause');
  tell(history.paused ? 'paused' : 'live');
  redraw();
}

function chooseTheme(theme) {
  document.documentElement.dataset.theme = theme;
  find('theme').value = theme;
  try {
    localStorage.setItem('ringpoll-theme', theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  for (const { chart } of charts) chart.readTheme();
  redraw();
}

function chooseSpan(span) {
  history.span = span;
  find('span').value = String(span);
  redraw();
}

function tell(state) {
  setText(find('state'), state);
  find('state').dataset.state = state;
}

const KEYS = {
  p: pause,
  ' ': pause,
  t: () => chooseTheme(THEMES[(THEMES.indexOf(find('theme').value) + 1) % THEMES.length]),
  1: () => chooseSpan(SPANS[0]),
  2: () => chooseSpan(SPANS[1]),
  3: () => chooseSpan(SPANS[2]),
  '+': () => zoomBy(ZOOM_FACTOR),
  '=': () => zoomBy(ZOOM_FACTOR),
  '-': () => zoomBy(1 / ZOOM_FACTOR),
  0: reset,
  Escape: reset,
  '?': () => {
    find('help').open = !find('help').open;
  },
};

function zoomBy(factor) {
  history.zoomBy(factor, cursor);
  redraw();
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  // What has a meaning of its own for what has the focus keeps it.
  const isControl = event.target.closest?.('button, select, summary, input, a');
  if (isControl && event.key !== 'Escape') return;
  const act = KEYS[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
});

find('pause').addEventListener('click', pause);
find('reset').addEventListener('click', reset);
find('closer').addEventListener('click', () => zoomBy(ZOOM_FACTOR));
find('farther').addEventListener('click', () => zoomBy(1 / ZOOM_FACTOR));
find('span').addEventListener('change', (event) => chooseSpan(Number(event.target.value)));
find('theme').addEventListener('change', (event) => chooseTheme(event.target.value));
window.addEventListener('resize', redraw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
  chooseTheme(find('theme').value),
);

let stored;
try {
  stored = localStorage.getItem('ringpoll-theme');
} catch {
  // The same.
}
chooseTheme(THEMES.includes(stored) ? stored : 'auto');

const source = new EventSource('/debug/live');
source.addEventListener('hello', (event) => {
  interval = JSON.parse(event.data).interval;
  tell(history.paused ? 'paused' : 'live');
});
source.addEventListener('message', (event) => {
  history.add(JSON.parse(event.data));
  // What stands still need not be drawn again.
  if (!history.paused && !document.hidden) redraw();
});
source.addEventListener('error', () => tell('not connected'));
document.addEventListener('visibilitychange', redraw);
