// The lane of programs that judge TLS servers from outside: openssl s_client, sslscan and
// testssl.sh try an HTTPS server of ours, on each engine that runs here. It runs when it is named.
// By hand: node test/lanes/tls.mjs [ENGINE]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../scripts/steps.mjs';
import { aptInstall } from '../../scripts/toolchain.mjs';
import { runBounded, runStep } from '../support/command.mjs';
import { refusal } from '../support/vitest-lane.mjs';

export const name = 'tls';
export const onRequest = true;
export const msMax = 40 * 60 * 1000;

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, 'build', 'tls');
const file = (name) => join(folder, name);
const [CERT, KEY] = [file('own.crt'), file('own.key')];
const ENGINES = ['poll', 'uring', 'hybrid'];
// What each comes from where there is apt, and the one of testssl.sh's names that is there.
const PACKAGES = { openssl: 'openssl', sslscan: 'sslscan', testssl: 'testssl.sh' };
const CLIENT_MS_MAX = 20_000;
const SCAN_MS_MAX = 120_000;
const TESTSSL_MS_MAX = 600_000;
const START_MS_MAX = 30_000;

const missing = () => Object.keys(PACKAGES).filter((program) => !findProgram(program));

export async function prepare() {
  mkdirSync(folder, { recursive: true });
  if (missing().length > 0 && process.getuid?.() === 0 && findProgram('apt-get')) {
    await aptInstall(missing().map((program) => PACKAGES[program]));
  }
  if (missing().includes('openssl')) return;
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];
  const args = ['req', '-x509', ...kind, ...names, '-keyout', KEY, '-out', CERT];
  await runStep('openssl req', 'openssl', args);
}

/** A server of HTTPS: its port, and how it ends. */
async function startServer(engine) {
  const program = join(root, 'bench', 'servers', 'https-plaintext.mjs');
  const env = { ...process.env, RINGPOLL_ENGINE: engine, TLS_CERT: CERT, TLS_KEY: KEY };
  const child = spawn(process.execPath, [program, '0'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const late = AbortSignal.timeout(START_MS_MAX);
  const [line] = await once(createInterface({ input: child.stdout }), 'line', { signal: late });
  const stop = async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return { port: /^ready (\d+)/.exec(line)[1], stop };
}

/** What s_client prints; `typed` goes to its standard input, with a second before it ends. */
async function client(port, typed, ...options) {
  const usual = ['-connect', `127.0.0.1:${port}`, '-servername', 'localhost', '-CAfile', CERT];
  // An input that ends at once would end the connection before tickets and answers have come.
  const script = '(printf "%b" "$0"; sleep 1) | exec openssl s_client "$@"';
  const args = ['-c', script, typed, ...usual, ...options];
  const { output } = await runBounded('sh', args, { msMax: CLIENT_MS_MAX, capture: true });
  return output;
}

const countOf = (text, pattern) => text.match(pattern)?.length ?? 0;
const REQUEST = 'GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n';

const CLIENT_CHECKS = {
  'TLS 1.2 is spoken, and the certificate verified': async (port) => {
    const text = await client(port, REQUEST, '-tls1_2', '-ign_eof');
    return /New, TLSv1\.2/.test(text) && /Verification: OK/.test(text) && /200 OK/.test(text);
  },
  'TLS 1.3 is spoken, and the end is told': async (port) => {
    const text = await client(port, REQUEST, '-tls1_3', '-ign_eof');
    return /New, TLSv1\.3/.test(text) && /200 OK/.test(text) && /^closed$/m.test(text);
  },
  'TLS 1.1 is refused with protocol_version': async (port) => {
    const text = await client(port, '', '-tls1_1', '-cipher', 'ALL@SECLEVEL=0');
    return /alert number 70/.test(text) && /New, \(NONE\)/.test(text);
  },
  'five connections resume by tickets of TLS 1.2': async (port) =>
    countOf(await client(port, '', '-tls1_2', '-reconnect'), /^Reused, TLSv1\.2/gm) === 5,
  'five connections resume by session ids': async (port) => {
    const text = await client(port, '', '-tls1_2', '-no_ticket', '-reconnect');
    return countOf(text, /^Reused, TLSv1\.2/gm) === 5;
  },
  'a session of TLS 1.3 is resumed, without early data': async (port) => {
    const session = file('session');
    writeFileSync(file('early'), 'early');
    rmSync(session, { force: true });
    await client(port, REQUEST, '-tls1_3', '-ign_eof', '-sess_out', session);
    const early = ['-early_data', file('early')];
    const text = await client(port, '', '-tls1_3', '-sess_in', session, ...early);
    return /^Reused, TLSv1\.3/m.test(text) && /Early data was not sent/.test(text);
  },
  'renegotiation is refused': async (port) =>
    /no renegotiation/.test(await client(port, 'R\\n', '-tls1_2')),
};

/** What sslscan says that it must not, or does not say that it must. */
async function scan(port) {
  const args = ['--no-colour', '--sni-name=localhost', `127.0.0.1:${port}`];
  const { output } = await runBounded('sslscan', args, { msMax: SCAN_MS_MAX, capture: true });
  const lines = ['SSLv2', 'SSLv3', 'TLSv1.0', 'TLSv1.1']
    .map((version) => `${version} +disabled`)
    .concat('TLSv1.2 +enabled', 'TLSv1.3 +enabled', 'Session renegotiation not supported');
  const absent = lines.filter((line) => !new RegExp(`^${line}`, 'm').test(output));
  const weak = /^(Accepted|Preferred).*\b(RC4|DES|NULL|EXP|MD5|anon|ADH|AECDH)\b.*$/gim;
  const bad = [...(output.match(weak) ?? []), ...(output.match(/^.* vulnerable to.*$/gm) ?? [])];
  return [...absent, ...bad.filter((line) => !/not vulnerable/.test(line))];
}

/** Of the certificate that was made here, and of what an application answers. */
const OF_OTHERS = /^(cert_|OCSP|DNS_CAArecord|HSTS|security_headers|overall|.*grade)/i;

/** What testssl.sh finds that is more than low. */
async function findings(port) {
  const report = file('testssl.json');
  rmSync(report, { force: true });
  const how = ['--warnings', 'batch', '--color', '0', '--quiet', '--severity', 'MEDIUM'];
  const args = [...how, '--jsonfile', report, `127.0.0.1:${port}`];
  const ended = await runBounded('testssl', args, { msMax: TESTSSL_MS_MAX, capture: true });
  if (ended.timedOut) return [`testssl.sh took longer than ${TESTSSL_MS_MAX / 1000} s`];
  if (!/Heartbleed.*not vulnerable/.test(ended.output)) return ['testssl.sh has not looked'];
  return JSON.parse(readFileSync(report, 'utf8'))
    .filter(({ id, severity }) => !OF_OTHERS.test(id) && severity !== 'LOW')
    .map(({ id, severity, finding }) => `${id} ${severity}: ${finding}`);
}

async function checksOf(engine) {
  const server = await startServer(engine);
  const failures = [];
  let passed = 0;
  const check = (what, wrong) => {
    if (wrong.length === 0) passed++;
    else failures.push(`${engine}: ${what}: ${wrong.join('; ')}`);
  };
  try {
    for (const [what, holds] of Object.entries(CLIENT_CHECKS)) {
      check(what, (await holds(server.port)) ? [] : ['it is not so']);
    }
    check('sslscan', await scan(server.port));
    check('testssl.sh', await findings(server.port));
  } finally {
    await server.stop();
  }
  return { passed, failures };
}

export async function run(engines = ENGINES) {
  const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
  const absent = missing();
  if (absent.length > 0) {
    return { ...result, skipped: 1, notes: [`not installed: ${absent.join(', ')}`] };
  }
  for (const engine of engines) {
    const reason = engine === 'uring' ? await refusal('uring') : undefined;
    if (reason) {
      result.skipped++;
      result.notes.push(`io_uring: ${reason}`);
      continue;
    }
    const { passed, failures } = await checksOf(engine);
    result.passed += passed;
    result.failed += failures.length;
    result.notes.push(...failures);
    for (const failure of failures) console.log(`FAILED ${failure}`);
  }
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await prepare();
  const { passed, failed, notes } = await run(process.argv[2] ? [process.argv[2]] : ENGINES);
  for (const note of notes) console.log(note);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
