// Requests that are longer than a plain GET, as files for the load generator.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD } from './paths.mjs';

export const UPLOAD_BYTES = 100 * 1024;

/** What a browser sends with a link that was followed: twelve headers, some 700 bytes. */
const BROWSER = [
  'GET / HTTP/1.1',
  'Host: www.example.org',
  'Connection: keep-alive',
  'Cache-Control: max-age=0',
  'Upgrade-Insecure-Requests: 1',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) ' +
    'Chrome/126.0.0.0 Safari/537.36',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Sec-Fetch-Site: same-origin',
  'Sec-Fetch-Mode: navigate',
  'Referer: https://www.example.org/shop/articles/4711?from=list&page=3',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-GB,en;q=0.9,de;q=0.8',
  'Cookie: session=7f1c0a9be2d44d0c8c3fb1d6a5e0b9a4; theme=dark; consent=1; basket=3-17-4711; ' +
    'visitor=GA1.2.1790214411.1700000000; lang=en-GB; seen=promo-07',
];

const UPLOAD = [
  'POST / HTTP/1.1',
  'Host: 127.0.0.1',
  'Content-Type: application/octet-stream',
  `Content-Length: ${UPLOAD_BYTES}`,
];

const JSON_BODY = JSON.stringify({ name: 'world', list: [1, 2, 3], text: 'x'.repeat(60) });

const JSON_POST = [
  'POST / HTTP/1.1',
  'Host: 127.0.0.1',
  'Content-Type: application/json',
  `Content-Length: ${JSON_BODY.length}`,
];

const texts = {
  browser: `${BROWSER.join('\r\n')}\r\n\r\n`,
  json: `${JSON_POST.join('\r\n')}\r\n\r\n${JSON_BODY}`,
  upload: `${UPLOAD.join('\r\n')}\r\n\r\n${'x'.repeat(UPLOAD_BYTES)}`,
};

/** The path of a file with the named request. */
export function requestFile(name) {
  const folder = join(BUILD, 'requests');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.http`);
  writeFileSync(path, texts[name]);
  return path;
}

/** A file of one megabyte, to be sent. */
export function megabyteFile() {
  mkdirSync(BUILD, { recursive: true });
  const path = join(BUILD, 'megabyte.txt');
  writeFileSync(path, 'x'.repeat(1024 * 1024));
  return path;
}
