// The lane that opens pages in a headless Chromium: one that ringpoll/http serves, on each engine
// and over HTTPS with HTTP/2, and the one with the charts of the benchmarks.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { adminChecks, asksForNothingElse, openAdmin } from '../browser/admin_checks.mjs';
import { checks } from '../browser/checks.mjs';
import { Chromium, findChromium } from '../browser/chromium.mjs';
import { exampleChecks } from '../browser/example_checks.mjs';
import { reportIsDrawn } from '../browser/report_checks.mjs';

export const name = 'browser';

const ENGINES = ['poll', 'uring', 'hybrid'];
const HTTPS = 'test/browser/server.mjs https';
const root = fileURLToPath(new URL('../../', import.meta.url));
const STOP_MS_MAX = 5_000;
// Each may have waited for its time-out.
const FAILURES_MAX = 5;

/** `ready` finds the port in a line of the program's. */
async function startServer(engine, path = 'test/browser/server.mjs', ready = /^ready (\d+)$/) {
  const [file, ...args] = path.split(' ');
  const program = join(root, file);
  const env = { ...process.env, RINGPOLL_ENGINE: engine };
  const child = spawn(process.execPath, [program, ...args], {
    ...{ env, stdio: ['ignore', 'pipe', 'inherit'] },
  });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const found = new Promise((resolve) => {
    lines.on('line', (line) => ready.test(line) && resolve(ready.exec(line)[1]));
  });
  const port = await Promise.race([found, ended.then(() => undefined)]);
  if (port === undefined) throw new Error(`the server does not start: ${path}`);
  const stop = async () => {
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    const [code, signal] = await ended;
    clearTimeout(killer);
    if (code !== 0) throw new Error(`the server ended with ${signal ?? code}`);
  };
  const scheme = path === HTTPS ? 'https' : 'http';
  return { url: `${scheme}://127.0.0.1:${port}/`, stop };
}

async function checked(result, what, work) {
  const start = performance.now();
  try {
    await work();
    result.passed++;
    console.log(`ok      ${what} (${Math.round(performance.now() - start)} ms)`);
  } catch (error) {
    result.failed++;
    result.notes.push(`${what}: ${error.message.split('\n')[0]}`);
    console.log(`FAILED  ${what}\n${error.stack}`);
  }
}

/** The examples that are made for pages, in pages. */
async function runExamples(chromium, result) {
  for (const { what, program, ready, check } of exampleChecks) {
    const { url, stop } = await startServer('hybrid', program, ready);
    await checked(result, what, () => check(() => chromium.newPage(), url));
    await checked(result, `${what}: it stops while the page is there`, stop);
  }
}

/** The live page of admin(). */
async function runAdmin(chromium, result) {
  const { url, stop } = await startServer('hybrid', 'test/browser/admin_server.mjs');
  const page = await chromium.newPage();
  try {
    await openAdmin(page, url);
    for (const [what, check] of Object.entries(adminChecks)) {
      await checked(result, `the live page: ${what}`, () => check(page));
    }
    await checked(result, 'the live page: asks for nothing else', () =>
      asksForNothingElse(page, url),
    );
  } finally {
    await checked(result, 'the live page: its server stops while it is open', stop);
  }
}

async function runOn(engine, chromium, result, secure = false) {
  const { url, stop } = await startServer(engine, secure ? HTTPS : undefined);
  const where = secure ? `${engine}, HTTPS` : engine;
  try {
    const page = await chromium.newPage();
    await page.open(url);
    for (const [what, check] of Object.entries(checks)) {
      if (result.failed > FAILURES_MAX) throw new Error('too much fails to go on');
      await checked(result, `${where}: ${what}`, () => check({ page, url }));
    }
    await checked(result, `${where}: nothing to complain about`, () => {
      // Chromium logs a refused method as an error of the page; one was asked for.
      const others = page.complaints.filter((text) => !text.includes('status of 405'));
      if (others.length > 0) throw new Error(others.join('\n'));
    });
  } finally {
    await checked(result, `${where}: the server stops while the browser is there`, stop);
  }
}

export async function run() {
  const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
  const { path, reason } = await findChromium();
  if (path === undefined) return { ...result, skipped: 1, notes: [reason] };
  const chromium = new Chromium(path);
  try {
    const { product } = await chromium.send('Browser.getVersion');
    result.notes.push(product);
    for (const engine of ENGINES) await runOn(engine, chromium, result);
    await runOn('hybrid', chromium, result, true);
    await runAdmin(chromium, result);
    await runExamples(chromium, result);
    await checked(result, 'the charts of the benchmarks are drawn without a network', async () => {
      const report = pathToFileURL(join(root, 'bench', 'results', 'report.html')).href;
      const count = await reportIsDrawn(await chromium.newPage(), report);
      console.log(`        ${count} charts`);
    });
  } finally {
    await chromium.close();
  }
  return result;
}
