// The live page of admin(), in a real browser: what it says, how it is used by keyboard, and that
// it fits a telephone. RINGPOLL_SCREENSHOTS=FOLDER keeps what it looks like.
import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import { ADMIN_TOKEN } from './admin_token.mjs';
import { keep, NARROW, WIDE } from './pictures.mjs';

const WAIT_MS_MAX = 10_000;

async function eventually(page, look, argument) {
  const deadline = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const found = await page.evaluate(look, argument);
    if (found !== undefined && found !== null) return found;
    if (Date.now() > deadline) throw new Error(`not within ${WAIT_MS_MAX} ms: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function press(page, key) {
  const text = key.length === 1 ? key : undefined;
  await page.send('Input.dispatchKeyEvent', { type: 'keyDown', key, text });
  await page.send('Input.dispatchKeyEvent', { type: 'keyUp', key });
}

const state = () => document.getElementById('state').textContent;

/** Colours that a chart has, beside its background. */
const inks = (id) => {
  const canvas = document.querySelector(`#${id} canvas`);
  if (canvas.width === 0) return 0;
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
};

async function says(page) {
  await eventually(page, () =>
    document.querySelectorAll('#routes td').length > 8 ? 1 : undefined,
  );
  const tiles = await page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('.tile')].map((tile) => [
        tile.querySelector('dt').textContent,
        tile.querySelector('dd').textContent,
      ]),
    ),
  );
  const perSecond = Number.parseFloat(tiles.Requests) * (/ k\//.test(tiles.Requests) ? 1000 : 1);
  ok(perSecond > 10, `requests: ${tiles.Requests}`);
  ok(/[µm]s$/.test(tiles['99 %']), `99 %: ${tiles['99 %']}`);
  ok(Number.parseFloat(tiles.Connections) >= 8, `connections: ${tiles.Connections}`);
  const cells = (id) =>
    [...document.querySelectorAll(`#${id} tbody tr`)].map((row) =>
      [...row.cells].map((cell) => cell.textContent),
    );
  const routes = (await page.evaluate(cells, 'routes')).map(([, route]) => route);
  for (const route of ['/hello', '/users/:id', '/slow', '/broken', '(none)']) {
    ok(routes.includes(route), `${route} is not among ${routes}`);
  }
  const errors = await page.evaluate(cells, 'errors');
  equal(errors[0][0], 'E_ON_PURPOSE');
  const ways = (await page.evaluate(cells, 'ways')).map(([operation]) => operation);
  ok(ways.includes('receive') && ways.includes('send'), ways.join());
  const classes = (await page.evaluate(cells, 'classes')).map(([name]) => name);
  deepEqual(classes.sort(), ['business', 'connection', 'request']);
}

async function isDrawn(page) {
  for (const id of ['rate', 'latency', 'delay', 'phases', 'connections', 'memory', 'scheduler']) {
    await eventually(page, `(id) => ((${inks})(id) > 4 ? 1 : undefined)`, id);
  }
  const labels = await page.evaluate(() =>
    [...document.querySelectorAll('canvas')].map((canvas) => canvas.ariaLabel),
  );
  const latency = labels.find((label) => label.startsWith('Latency of requests: 50 % '));
  ok(/99\.99 % [\d.]+ [µm]s/.test(latency ?? ''), labels.join('; '));
}

async function obeysKeys(page) {
  await page.evaluate(() => document.activeElement?.blur());
  await press(page, 'p');
  equal(await page.evaluate(state), 'paused');
  const shown = () => document.querySelector('.tile dd').textContent;
  const paused = await page.evaluate(shown);
  await new Promise((resolve) => setTimeout(resolve, 700));
  equal(await page.evaluate(shown), paused, 'what is paused stands still');
  await page.evaluate(() => document.querySelector('#latency canvas').focus());
  await press(page, 'ArrowLeft');
  await press(page, 'ArrowLeft');
  // It is drawn with the next frame.
  await eventually(page, () =>
    /^at \d/.test(document.getElementById('when').textContent) ? 1 : undefined,
  );
  await press(page, '+');
  await eventually(page, () => (document.getElementById('reset').disabled ? undefined : 1));
  await press(page, 'Escape');
  await eventually(page, () => (document.getElementById('reset').disabled ? 1 : undefined));
  await press(page, '2');
  equal(await page.evaluate(() => document.getElementById('span').value), '300000');
  await press(page, '1');
  await press(page, 'p');
  equal(await page.evaluate(state), 'live');
}

/** Everything with a meaning has a name, as a screen reader would say it. */
async function isReadable(page) {
  const { nodes } = await page.send('Accessibility.getFullAXTree');
  const named = nodes.filter(({ ignored }) => !ignored);
  const of = (role) => named.filter((node) => node.role?.value === role);
  for (const role of ['button', 'combobox', 'table', 'image', 'region', 'group']) {
    const silent = of(role).filter(({ name }) => !name?.value);
    deepEqual(silent, [], `${role} without a name`);
  }
  const images = [...of('image'), ...of('img')].map(({ name }) => name.value);
  ok(images.length >= 9, `${images.length} images`);
  ok(of('status').length === 1, 'a status that is spoken when it changes');
  ok(of('heading').length > 10, 'headings to jump to');
}

async function hasThemes(page) {
  const back = () => getComputedStyle(document.body).backgroundColor;
  const choose = (theme) => {
    const select = document.getElementById('theme');
    select.value = theme;
    select.dispatchEvent(new Event('change'));
  };
  await page.evaluate(choose, 'light');
  const light = await page.evaluate(back);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await keep(page, 'admin-light');
  await page.evaluate(choose, 'dark');
  notEqual(await page.evaluate(back), light);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await keep(page, 'admin-dark');
  await page.evaluate(choose, 'auto');
  for (const [value, expected] of [
    ['light', true],
    ['dark', false],
  ]) {
    const features = [{ name: 'prefers-color-scheme', value }];
    await page.send('Emulation.setEmulatedMedia', { features });
    equal((await page.evaluate(back)) === light, expected, `the system's theme is ${value}`);
  }
}

async function fitsATelephone(page) {
  await page.send('Emulation.setDeviceMetricsOverride', NARROW);
  await new Promise((resolve) => setTimeout(resolve, 600));
  const widths = await page.evaluate(() => ({
    page: document.documentElement.scrollWidth,
    canvases: [...document.querySelectorAll('figure:not([hidden]) canvas')].map(
      ({ clientWidth }) => clientWidth,
    ),
    least: Math.min(
      ...[...document.querySelectorAll('button, select')].map((each) => each.offsetHeight),
    ),
  }));
  equal(widths.page, NARROW.width, 'nothing sticks out');
  ok(
    widths.canvases.every((width) => width > 300 && width <= NARROW.width),
    String(widths.canvases),
  );
  ok(widths.least >= 24, `controls of ${widths.least} pixels`);
  await keep(page, 'admin-narrow');
  await page.send('Emulation.setDeviceMetricsOverride', WIDE);
}

export const adminChecks = {
  'says what the server does': says,
  'draws it, and says what it has drawn': isDrawn,
  'obeys keys': obeysKeys,
  'is readable by a screen reader': isReadable,
  'has a light and a dark theme': hasThemes,
  'fits a telephone': fitsATelephone,
};

/** Opens it with the token, which is gone from its address then. */
export async function openAdmin(page, url) {
  await page.send('Emulation.setDeviceMetricsOverride', WIDE);
  await page.open(`${url}?token=${ADMIN_TOKEN}`);
  equal(await page.evaluate(() => location.search), '');
  await eventually(page, () =>
    document.getElementById('state').textContent === 'live' ? 1 : undefined,
  );
}

/** It asks for nothing but itself and its reports. */
export function asksForNothingElse(page, url) {
  const paths = page.requested.filter((each) => !each.startsWith('data:'));
  const known = [`${url}?token=${ADMIN_TOKEN}`, url, `${url}debug/live`];
  deepEqual([...new Set(paths)].sort(), [...new Set(known)].sort());
  deepEqual(page.complaints, []);
}
