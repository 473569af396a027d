// The page of the benchmarks' results: every bar is drawn, in both themes and on a telephone, and
// nothing is asked of a network.
import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import { keep, NARROW, WIDE } from './pictures.mjs';

const back = () => getComputedStyle(document.body).backgroundColor;

async function chooseTheme(page, value) {
  const features = [{ name: 'prefers-color-scheme', value }];
  await page.send('Emulation.setEmulatedMedia', { features });
}

/** Gives the number of charts. */
export async function reportIsDrawn(page, url) {
  await page.send('Emulation.setDeviceMetricsOverride', WIDE);
  await chooseTheme(page, 'light');
  await page.open(url);
  const charts = await page.evaluate(() =>
    [...document.querySelectorAll('figure')].map((figure) => ({
      id: figure.id,
      bars: [...figure.querySelectorAll('.bar div')].map((bar) => {
        const { width, height } = bar.getBoundingClientRect();
        const { backgroundColor } = getComputedStyle(bar);
        return { isSeen: width > 0 && height > 0, backgroundColor };
      }),
      longest: Math.max(
        ...[...figure.querySelectorAll('.bar')].map(
          // The longest is the bar of a median, or the mark of a round that took far longer.
          ({ clientWidth, children: [bar, apart] }) =>
            Math.max(bar.offsetWidth, apart ? apart.offsetLeft + apart.offsetWidth : 0) /
            clientWidth,
        ),
      ),
    })),
  );
  ok(charts.length > 0, 'no chart at all');
  for (const { id, bars, longest } of charts) {
    ok(bars.length > 0 && bars.every(({ isSeen }) => isSeen), `${id} has bars that are not seen`);
    ok(longest > 0.3 && longest <= 1.01, `${id}: its longest bar has ${longest} of the room`);
  }
  const colours = new Set(charts.flatMap(({ bars }) => bars.map((bar) => bar.backgroundColor)));
  equal(colours.size, 3, 'ours, others and C');
  const broken = await page.evaluate(() =>
    [...document.querySelectorAll('a')]
      .map((link) => link.getAttribute('href'))
      .filter((href) => document.getElementById(href.slice(1)) === null),
  );
  deepEqual(broken, [], 'links that lead nowhere');
  const light = await page.evaluate(back);
  await keep(page, 'benchmarks-light', false);
  await chooseTheme(page, 'dark');
  notEqual(await page.evaluate(back), light);
  await keep(page, 'benchmarks-dark', false);
  await chooseTheme(page, 'light');
  await page.send('Emulation.setDeviceMetricsOverride', NARROW);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  equal(width, NARROW.width, 'nothing sticks out');
  await keep(page, 'benchmarks-narrow', false);
  deepEqual(page.complaints, []);
  deepEqual(
    page.requested.filter((each) => !each.startsWith('data:')),
    [url],
  );
  return charts.length;
}
