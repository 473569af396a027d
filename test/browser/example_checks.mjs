// The examples with a page of their own, in a real browser.
import { deepEqual, equal, ok } from 'node:assert/strict';

const WAIT_MS_MAX = 10_000;

/** What `look` finds in the page, as soon as it is not undefined. */
async function eventually(page, look) {
  const deadline = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const found = await page.evaluate(look);
    if (found !== undefined && found !== null) return found;
    if (Date.now() > deadline) throw new Error(`not within ${WAIT_MS_MAX} ms: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function chat(newPage, url) {
  const [ada, bob] = [await newPage(), await newPage()];
  for (const [page, name] of [
    [ada, 'ada'],
    [bob, 'bob'],
  ]) {
    await page.open(`${url}?name=${name}`);
    await eventually(page, () =>
      document.getElementById('state').textContent.startsWith('as ') ? true : undefined,
    );
  }
  await ada.evaluate(() => {
    document.getElementById('text').value = 'hello <b>you</b>';
    document.querySelector('form').requestSubmit();
  });
  const line = await eventually(bob, () => {
    const lines = [...document.querySelectorAll('#lines p')].map((each) => each.textContent);
    return lines.find((text) => text.includes('hello'));
  });
  equal(line, 'ada: hello <b>you</b>');
  deepEqual([...ada.complaints, ...bob.complaints], []);
}

async function dashboard(newPage, url) {
  const page = await newPage();
  await page.open(url);
  const version = () => Number(/version (\d+)/.exec(document.body.textContent)?.[1]) || undefined;
  const first = await eventually(page, version);
  const rows = await page.evaluate(() => document.querySelectorAll('#rows tr').length);
  equal(rows, 12);
  const deadline = Date.now() + WAIT_MS_MAX;
  while ((await page.evaluate(version)) < first + 3) ok(Date.now() < deadline, 'it stands still');
  deepEqual(page.complaints, []);
}

async function showcase(newPage, url) {
  const page = await newPage();
  await page.open(url);
  // Twice: a rate wants two reports.
  const shown = await eventually(page, () => {
    const text = (id) => document.getElementById(id).textContent;
    const ready = /engine \w+/.test(text('state')) && /^\d/.test(text('latency'));
    return ready ? [text('connections'), text('state')] : undefined;
  });
  ok(Number(shown[0]) >= 1, `${shown[0]} connections`);
  const operations = await eventually(page, () => {
    const rows = [...document.querySelectorAll('#ways tr')];
    return rows.length > 1 ? rows.map((row) => row.cells[0].textContent) : undefined;
  });
  ok(operations.includes('receive'), operations.join());
  const drawn = await eventually(page, () => {
    const canvas = document.getElementById('latency-chart');
    if (canvas.width === 0) return undefined;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size > 2 ? true : undefined;
  });
  equal(drawn, true);
  deepEqual(page.complaints, []);
}

const address = /^http:\/\/127\.0\.0\.1:(\d+)\/$/;

export const exampleChecks = [
  {
    what: 'the chat',
    program: 'examples/websocket/chat.mjs 0',
    ready: address,
    check: chat,
  },
  {
    what: 'the dashboard',
    program: 'examples/websocket/dashboard.mjs 0',
    ready: address,
    check: dashboard,
  },
  {
    what: 'the page of npm start',
    program: 'examples/showcase.mjs',
    ready: /^ {2}HTTP +http:\/\/127\.0\.0\.1:(\d+)\//,
    check: showcase,
  },
];
