// Puppeteer drives a Chromium through a WebSocket, which opens a page of a server of this process.
import http from 'node:http';
import puppeteer from 'puppeteer-core';
import { closed, listening, say } from './say.mjs';

const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'text/html');
  if (request.url === '/json') response.end('{"n":42}');
  else if (request.url === '/') response.end('<title>smoke</title><p id=p>hello</p>');
  else response.writeHead(404).end('nothing');
});
const port = await listening(server);
const browser = await puppeteer.launch({
  executablePath: process.env.SMOKE_CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${port}/`);
say('title', await page.title());
say('text', await page.$eval('#p', (element) => element.textContent));
say('fetched', await page.evaluate(async () => (await (await fetch('/json')).json()).n));
say('evaluated', await page.evaluate((text) => text.length, 'x'.repeat(2_000_000)));
say('picture', (await page.screenshot()).length > 1000);
await browser.close();
server.closeAllConnections();
await closed(server);
