// Lines over time as one SVG, a panel for each, in the colours of whoever looks.
const WIDTH = 720;
const PANEL = 150;
const LEFT = 90;
const RIGHT = 20;
const TOP = 34;
const BOTTOM = 22;

const STYLE = [
  'text{font:12px system-ui,sans-serif;fill:#222}.line{fill:none;stroke:#2266cc;stroke-width:1.5}',
  '.axis{stroke:#999}.bad{stroke:#cc3322}rect{fill:#fff}',
  '@media(prefers-color-scheme:dark){text{fill:#ddd}rect{fill:#161a1f}.line{stroke:#6aa8ff}',
  '.bad{stroke:#ff7766}}',
].join('');

const escaped = (text) => text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);

function panel({ title, points, format, passed }, index) {
  const top = index * PANEL;
  const bottom = top + PANEL - BOTTOM;
  const most = Math.max(...points.map(([, value]) => value)) || 1;
  const [from] = points[0];
  const to = points.at(-1)[0];
  const x = (time) => LEFT + ((time - from) / (to - from || 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => bottom - (value / most) * (PANEL - TOP - BOTTOM);
  const path = points.map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`);
  return [
    `<text x="8" y="${top + 18}">${escaped(title)}</text>`,
    `<text x="${LEFT - 6}" y="${top + TOP + 4}" text-anchor="end">${escaped(format(most))}</text>`,
    `<text x="${LEFT - 6}" y="${bottom + 4}" text-anchor="end">0</text>`,
    `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${bottom}" y2="${bottom}"/>`,
    `<polyline class="line${passed ? '' : ' bad'}" points="${path.join(' ')}"/>`,
    `<text x="${WIDTH - RIGHT}" y="${bottom + 16}" text-anchor="end">${to.toFixed(0)} s</text>`,
  ].join('\n');
}

/** `series` are { title, points: [seconds, value][], format(value), passed }. */
export function lineChart(series) {
  const height = series.length * PANEL;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escaped(series.map(({ title }) => title).join('; '))}</title>`,
    `<style>${STYLE}</style><rect width="${WIDTH}" height="${height}"/>`,
    ...series.map(panel),
    '</svg>\n',
  ].join('\n');
}
