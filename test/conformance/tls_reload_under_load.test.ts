// Certificates are replaced while clients come and go: none of them notices.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { type ListenOptions, listen } from 'ringpoll';
import { secureContext } from 'ringpoll/tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { within } from '../support/recorder.js';
import { makePair, type Pair, pair } from '../support/tls/certificate.js';

const other = await makePair();
const CLIENTS = 8;
const MESSAGES = 4;

/** One client after the other, each with a few messages, until `over`; how many there were. */
async function visitors(port: number, over: () => boolean, seen: Set<string>): Promise<number> {
  let visits = 0;
  while (!over()) {
    await within(visit(port, seen), () => 'a visit');
    visits++;
  }
  return visits;
}

function visit(port: number, seen: Set<string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({
      ...{ port, host: '127.0.0.1', servername: 'localhost' },
      // Both certificates have the same name, of which a store finds one; fingerprints tell.
      rejectUnauthorized: false,
    });
    let got = '';
    let sent = 0;
    const send = () => socket.write(`message ${sent++}\n`);
    socket.on('secureConnect', () => {
      seen.add(socket.getPeerCertificate().fingerprint256);
      send();
    });
    socket.on('data', (piece) => {
      got += String(piece);
      if (!got.endsWith('\n')) return;
      if (sent < MESSAGES) send();
      else socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      const wanted = Array.from({ length: MESSAGES }, (_, i) => `message ${i}\n`).join('');
      if (got === wanted) resolve();
      else reject(new Error(`the answers are not whole: ${JSON.stringify(got)}`));
    });
  });
}

function echo(tls: ListenOptions['tls'], errors: Error[]) {
  const listener = listen({
    ...{ host: '127.0.0.1', port: 0, tls, tlsError: (error: Error) => void errors.push(error) },
    data: (connection, chunk) => void connection.write(chunk),
  });
  onTestFinished(() => listener.destroy());
  return listener;
}

describe('a listener under load', () => {
  it('loses nothing when its context is set again and again', async () => {
    const errors: Error[] = [];
    const listener = echo(pair, errors);
    const seen = new Set<string>();
    let over = false;
    const clients = Array.from({ length: CLIENTS }, () =>
      visitors(listener.port as number, () => over, seen),
    );
    const contexts = [secureContext(other), secureContext(pair), other, pair];
    for (let round = 0; round < 100; round++) {
      listener.setSecureContext(contexts[round % contexts.length]!);
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    over = true;
    const visits = await Promise.all(clients);
    expect(Math.min(...visits)).toBeGreaterThan(0);
    expect([errors, seen.size]).toEqual([[], 2]);
  });

  it('loses nothing when its files are replaced', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringpoll-tls-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const [certFile, keyFile] = [join(folder, 'own.crt'), join(folder, 'own.key')];
    const put = (of: Pair) => {
      for (const [path, text] of [
        [certFile, of.cert],
        [keyFile, of.key],
      ] as const) {
        writeFileSync(`${path}.new`, text);
        renameSync(`${path}.new`, path);
      }
    };
    put(pair);
    const errors: Error[] = [];
    const listener = echo({ certFile, keyFile, watch: true }, errors);
    const seen = new Set<string>();
    const clients = Array.from({ length: CLIENTS }, () =>
      visitors(listener.port as number, () => seen.size === 2, seen),
    );
    put(other);
    const visits = await Promise.all(clients);
    expect(Math.min(...visits)).toBeGreaterThan(0);
    expect([errors, seen.size]).toEqual([[], 2]);
  });
});
