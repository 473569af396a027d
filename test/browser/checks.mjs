// What a real browser must find when it talks to ringpoll/http. Functions given to evaluate() run
// in the page. `page` has just loaded `url`.
import { deepEqual, equal, ok } from 'node:assert/strict';

const UPLOAD_BYTES = 24 * 1024 * 1024;
const DOWNLOAD_CHUNKS = 400; // of 64 KB
const PARALLEL = 300;
// Chromium opens so many to one host.
const CONNECTIONS_MAX = 6;

export const checks = {
  async 'a page with its style, script and picture'({ page, url }) {
    const found = await page.evaluate(() => ({
      title: document.title,
      heading: document.getElementById('heading').textContent,
      colour: getComputedStyle(document.getElementById('heading')).color,
      picture: [document.getElementById('picture').naturalWidth, document.images.length],
      protocol: performance.getEntriesByType('navigation')[0].nextHopProtocol,
    }));
    deepEqual(found, {
      title: 'A page',
      heading: 'after the script',
      colour: 'rgb(1, 2, 3)',
      picture: [40, 1],
      protocol: url.startsWith('https') ? 'h2' : 'http/1.1',
    });
    for (const name of ['', 'style.css', 'script.js', 'picture.svg']) {
      equal(await page.statusOf(url + name), 200, name);
    }
  },

  async 'a reload asks whether the files have changed, and gets 304'({ page, url }) {
    // Chromium keeps nothing of a server whose certificate it was told not to look at.
    if (url.startsWith('https')) return;
    await page.reload();
    for (const name of ['', 'style.css', 'script.js', 'picture.svg']) {
      equal(await page.statusOf(url + name), 304, name);
    }
    const heading = await page.evaluate(() => document.getElementById('heading').textContent);
    equal(heading, 'after the script');
  },

  async 'fetch() posts JSON and reads JSON'({ page }) {
    const value = { text: 'žluťoučký 🐎', list: [1, null, true] };
    const answer = await page.evaluate(async (sent) => {
      const headers = { 'Content-Type': 'application/json' };
      const response = await fetch('/json', {
        method: 'POST',
        headers,
        body: JSON.stringify(sent),
      });
      return [response.status, response.headers.get('content-type'), await response.json()];
    }, value);
    deepEqual(answer, [200, 'application/json', value]);
  },

  async 'a response is read while it is written'({ page }) {
    // The server writes the next piece when the page has asked for it, having read the one before.
    const read = await page.evaluate(async () => {
      const response = await fetch('/pieces');
      const pieces = [];
      for (const reader = response.body.getReader(); ; ) {
        const { done, value } = await reader.read();
        if (done) return pieces;
        pieces.push(new TextDecoder().decode(value));
        await fetch('/go');
      }
    });
    deepEqual(
      read,
      [1, 2, 3, 4, 5].map((number) => `piece ${number}\n`),
    );
  },

  async 'a large body goes up whole'({ page }) {
    const [sent, received] = await page.evaluate(async (length) => {
      const body = new Uint8Array(length);
      for (let index = 0; index < length; index += 1) body[index] = index ^ (index >>> 11);
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
      const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
      const response = await fetch('/upload', { method: 'POST', body });
      return [{ bytes: length, sha256 }, await response.json()];
    }, UPLOAD_BYTES);
    deepEqual(received, sent);
  },

  async 'a large body comes down whole'({ page }) {
    const bytes = await page.evaluate(async (chunks) => {
      return (await (await fetch(`/download/${chunks}`)).arrayBuffer()).byteLength;
    }, DOWNLOAD_CHUNKS);
    equal(bytes, DOWNLOAD_CHUNKS * 64 * 1024);
  },

  async 'a form with a file is sent'({ page }) {
    const { bytes } = await page.evaluate(async () => {
      const body = new FormData();
      body.append('name', 'value');
      body.append('file', new File(['x'.repeat(100_000)], 'x.txt'));
      return (await fetch('/upload', { method: 'POST', body })).json();
    });
    ok(bytes > 100_000, `${bytes} bytes`);
  },

  async 'EventSource reads events, and reconnects behind the last one'({ page }) {
    const ids = await page.evaluate(() => {
      const source = new EventSource('/events');
      const seen = [];
      return new Promise((resolve) => {
        source.onmessage = ({ data, lastEventId }) => {
          seen.push(`${lastEventId}=${data}`);
          if (seen.length < 7) return; // three a connection
          source.close();
          resolve(seen);
        };
      });
    });
    deepEqual(ids, ['1=1', '2=2', '3=3', '4=4', '5=5', '6=6', '7=7']);
  },

  async 'many requests at a time share a few connections'({ page }) {
    const answers = await page.evaluate((count) => {
      const ask = async (_, n) => (await fetch(`/number/${n}`)).json();
      return Promise.all(Array.from({ length: count }, ask));
    }, PARALLEL);
    deepEqual(
      answers.map(({ n }) => n),
      Array.from({ length: PARALLEL }, (_, n) => n),
    );
    const ports = new Set(answers.map(({ port }) => port));
    ok(ports.size <= CONNECTIONS_MAX, `${ports.size} connections`);
  },

  async 'a static route is read like any other'({ page }) {
    equal(await page.evaluate(async () => (await fetch('/static')).text()), 'from native code');
  },

  async 'fetch() asks for a range'({ page }) {
    const found = await page.evaluate(async () => {
      const whole = await (await fetch('/style.css', { cache: 'no-store' })).text();
      const range = { headers: { Range: 'bytes=3-9' }, cache: 'no-store' };
      const response = await fetch('/style.css', range);
      const text = await response.text();
      return [response.status, response.headers.get('content-range'), text === whole.slice(3, 10)];
    });
    deepEqual(found, [206, 'bytes 3-9/30', true]);
  },

  async 'a sound is played from ranges'({ page, url }) {
    const duration = await page.evaluate(async () => {
      const audio = new Audio('/sound.wav');
      const once = (name) =>
        new Promise((resolve, reject) => {
          audio.addEventListener(name, resolve, { once: true });
          audio.addEventListener('error', () => reject(new Error(audio.error.message)));
        });
      await once('canplaythrough');
      const sought = once('seeked');
      audio.currentTime = 0.5;
      await sought;
      return audio.duration;
    });
    equal(duration, 1);
    equal(await page.statusOf(`${url}sound.wav`), 206);
  },

  async 'a page that gives up aborts request.signal'({ page }) {
    const told = await page.evaluate(async () => {
      const controller = new AbortController();
      await fetch('/hang', { signal: controller.signal });
      controller.abort();
      return (await fetch('/aborted')).json();
    });
    equal(told, 1);
  },

  async 'a WebSocket opens on a connection that was taken over'({ page }) {
    const message = await page.evaluate(() => {
      const socket = new WebSocket(
        `${location.protocol.replace('http', 'ws')}//${location.host}/socket`,
      );
      return new Promise((resolve, reject) => {
        socket.onmessage = ({ data }) => resolve(data);
        socket.onerror = () => reject(new Error('the socket failed'));
      });
    });
    equal(message, 'hello');
  },

  async 'a WebSocket echoes text and bytes of every length, compressed'({ page }) {
    const found = await page.evaluate(async () => {
      const socket = new WebSocket(
        `${location.protocol.replace('http', 'ws')}//${location.host}/echo`,
        ['other', 'echo'],
      );
      socket.binaryType = 'arraybuffer';
      const next = (type) =>
        new Promise((resolve, reject) => {
          socket.addEventListener(type, resolve, { once: true });
          socket.addEventListener('error', () => reject(new Error('the socket failed')));
        });
      await next('open');
      const lengths = [0, 1, 125, 126, 65_535, 65_536, 1_000_000];
      const wrong = [];
      for (const length of lengths) {
        const text = 'ž'.repeat(length);
        const echoed = next('message');
        socket.send(text);
        if ((await echoed).data !== text) wrong.push(`text ${length}`);
        const bytes = new Uint8Array(length).map((_, i) => i * 7 + (i >> 8));
        const back = next('message');
        socket.send(bytes);
        const got = new Uint8Array((await back).data);
        const same = got.length === length && got.every((byte, i) => byte === bytes[i]);
        if (!same) wrong.push(`bytes ${length}`);
      }
      const closing = next('close');
      socket.send('close');
      const { code, reason, wasClean } = await closing;
      return {
        wrong,
        protocol: socket.protocol,
        extensions: socket.extensions,
        code,
        reason,
        wasClean,
      };
    });
    ok(found.extensions.startsWith('permessage-deflate'), found.extensions);
    delete found.extensions;
    deepEqual(found, {
      ...{ wrong: [], protocol: 'echo', code: 4000, reason: 'as you say', wasClean: true },
    });
  },

  async 'a message that is published reaches many WebSockets'({ page }) {
    const texts = await page.evaluate(async () => {
      const open = () =>
        new Promise((resolve, reject) => {
          const socket = new WebSocket(
            `${location.protocol.replace('http', 'ws')}//${location.host}/`,
          );
          socket.onopen = () => resolve(socket);
          socket.onerror = () => reject(new Error('the socket failed'));
        });
      const sockets = await Promise.all(Array.from({ length: 5 }, open));
      const got = sockets.map(
        (socket) => new Promise((resolve) => (socket.onmessage = ({ data }) => resolve(data))),
      );
      sockets[0].send('publish');
      const data = await Promise.all(got);
      for (const socket of sockets) socket.close(1000);
      return data;
    });
    deepEqual(texts, Array(5).fill('to all'));
  },

  async 'HEAD, and what is not there'({ page }) {
    const found = await page.evaluate(async () => {
      const head = await fetch('/style.css', { method: 'HEAD' });
      const body = await head.text();
      const wrong = await fetch('/json');
      return [head.status, head.headers.get('content-length'), body, wrong.status];
    });
    deepEqual(found, [200, '30', '', 405]);
  },
};
