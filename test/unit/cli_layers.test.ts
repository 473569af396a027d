// `ringpoll layers --compare`: a program on node:http, beside itself on ringpoll.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Comparison, comparisonText, type Side } from '../../lib/cli/layers_compare.js';
import { ResponseReader } from '../../lib/cli/response_reader.js';

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
// Starting Node on a busy machine takes its time, and each side is measured for two seconds.
const TEST_MS_MAX = 60_000;
const BUSY_MS = 0.05;

function ringpoll(...args: string[]) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [program, ...args], (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

function app(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-layers-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'app.mjs');
  writeFileSync(file, text);
  return file;
}

/** Each request keeps its handler for a known time, and is answered in chunks. */
const BUSY_APP = `
import { createServer } from 'node:http';
console.log('this is not the result');
createServer((request, response) => {
  if (request.url !== process.argv[2]) return void response.writeHead(404).end();
  const end = performance.now() + ${BUSY_MS};
  while (performance.now() < end);
  response.write('one, ');
  response.end('two');
}).listen(0, '127.0.0.1');
`;

const FEW = ['--rounds', '1', '--seconds', '1', '--connections', '4'];

function checkSide({ costs, ...side }: Side): void {
  const sum = costs.layers.reduce((all, { microseconds }) => all + microseconds, 0);
  expect(sum).toBeCloseTo(costs.microseconds);
  const whole = (sum + costs.measuringMicroseconds) / costs.wholeMicroseconds;
  expect(Math.abs(whole - 1), side.name).toBeLessThan(0.05);
  const handler = costs.layers.find(({ layer }) => layer === 'handler');
  expect(handler?.microseconds, side.name).toBeGreaterThan(BUSY_MS * 900);
  expect(side.user + side.system, side.name).toBeGreaterThan(BUSY_MS * 900);
  expect(side.requestsPerSecond, side.name).toBeGreaterThan(10);
}

describe('ringpoll layers --compare', { timeout: TEST_MS_MAX }, () => {
  it('measures a program on node:http and on ringpoll, and layers are the whole', async () => {
    const args = ['layers', '--compare', app(BUSY_APP), ...FEW, '--depth', '2', '--json'];
    const { code, stdout, stderr } = await ringpoll(...args, '--path', '/a?b', '--', '/a?b');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toContain('this is not the result');
    const comparison = JSON.parse(stdout) as Comparison;
    const { sides, path } = comparison;
    expect(path).toBe('/a?b');
    expect(sides.map(({ name }) => name)).toEqual(['node:http', 'ringpoll']);
    for (const side of sides) checkSide(side);
    const [node, own] = sides.map(({ costs }) => costs.layers.map(({ layer }) => layer));
    expect(node).toEqual(['loop', 'dispatch', 'handler', 'write']);
    expect(own).toEqual([
      ...['loop', 'accept', 'read', 'tls', 'parse', 'dispatch', 'handler', 'serialise', 'write'],
      'host',
    ]);
    // Node sends the head and the first chunk, and the rest, in one call or more.
    const writes = sides[0].costs.layers.find(({ layer }) => layer === 'write');
    expect(writes?.laps).toBeGreaterThan(0.9);

    const text = comparisonText(comparison);
    expect(text).toMatch(/^GET \/a\?b of .*app\.mjs, 4 connections, 2 requests at once$/m);
    expect(text).toMatch(/^µs a request +node:http +ringpoll$/m);
    expect(text).toMatch(/^read +in loop +[\d.]+ +recv$/m);
    expect(text).toMatch(/^handler +[\d.]+ +[\d.]+ +your handlers/m);
    expect(text).toMatch(/^sum \/ whole +(?:1\.0[0-4]|0\.9[5-9])\d +(?:1\.0[0-4]|0\.9[5-9])\d/m);
    expect(text).toMatch(/^ringpoll: [\d.]+ times the CPU of a request/m);
  });

  it('says what is wrong with the program', async () => {
    const missing = await ringpoll('layers', '--compare', '/no/such/app.js');
    expect(missing).toMatchObject({ code: 2 });
    expect(missing.stderr).toContain('there is no /no/such/app.js');
    const ending = await ringpoll('layers', '--compare', app('process.exit(7)'));
    expect(ending.code).toBe(1);
    expect(ending.stderr).toMatch(/app\.mjs on node:http ended: code 7$/m);
    const elsewhere = await ringpoll('layers', '--compare', app(BUSY_APP), ...FEW);
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.stderr).toMatch(/GET \/ on port \d+ is answered with HTTP\/1\.1 404/);
    const classes = `
      import { createServer, IncomingMessage } from 'node:http';
      class Own extends IncomingMessage {}
      createServer({ IncomingMessage: Own }, (_, response) => response.end()).listen(0);
    `;
    const unserved = await ringpoll('layers', '--compare', app(classes), ...FEW);
    expect(unserved.code).toBe(1);
    expect(unserved.stderr).toContain('it has a class of its own for its requests');
  });

  it('refuses what makes no sense', async () => {
    const path = await ringpoll('layers', '--compare', app(''), '--path', 'a b');
    expect(path).toMatchObject({ code: 2 });
    expect(path.stderr).toContain("--path takes a path, not 'a b'");
    const two = await ringpoll('layers', '6060', '6061');
    expect(two).toMatchObject({ code: 2 });
    expect(two.stderr).toContain("not '6061'");
  });
});

describe('the reader of responses', () => {
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const responses = [
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\r\n\r\na',
    `${chunked}5\r\n0\r\n\r\n\r\na;x=y\r\n0123456789\r\n0\r\n\r\n`,
    'HTTP/1.1 204 No Content\r\nDate: today\r\n\r\n',
    `${chunked}0\r\nA: trailer\r\n\r\n`,
    'HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n',
  ];

  it('finds the end of each, wherever the pieces end', () => {
    const bytes = Buffer.from(responses.join(''), 'latin1');
    for (let size = 1; size <= bytes.length; size++) {
      const reader = new ResponseReader();
      let done = 0;
      for (let at = 0; at < bytes.length; at += size) {
        done += reader.take(bytes.subarray(at, at + size));
      }
      expect({ size, done, problem: reader.problem }).toEqual({
        ...{ size, done: responses.length, problem: undefined },
      });
    }
  });

  it('ends with one that is no success, or has no length', () => {
    const refused = new ResponseReader();
    expect(refused.take(Buffer.from('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n'))).toBe(0);
    expect(refused.problem).toBe('is answered with HTTP/1.1 503 Busy');
    const endless = new ResponseReader();
    expect(endless.take(Buffer.from('HTTP/1.1 200 OK\r\nDate: today\r\n\r\nabc'))).toBe(0);
    expect(endless.problem).toContain('without a length');
  });
});
