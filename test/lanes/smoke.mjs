// The lane of smoke programs: database drivers, brokers and frameworks of others, each in a small
// program that runs on plain Node and with ringpoll/register, on each engine and where io_uring is
// denied. What they print has to be the same. The packages come from npm into build/smoke. It runs
// when it is named.
// By hand: node test/lanes/smoke.mjs [PROGRAM ...]
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from 'selfsigned';
import { STOCK, wayOf, ways } from '../faces/ways.mjs';
import { prepareNext } from '../smoke/next.mjs';
import { servers } from '../smoke/servers.mjs';
import { failureOf, runBounded } from '../support/command.mjs';
import { installPackages } from '../support/installed.mjs';

export const name = 'smoke';
export const onRequest = true;
export const msMax = 60 * 60 * 1000;

const root = fileURLToPath(new URL('../../', import.meta.url));
const source = join(root, 'test', 'smoke');
const folder = join(root, 'build', 'smoke');
const REGISTER = join(root, 'dist', 'register', 'index.js');
const INSTALL_MS_MAX = 600_000;
const PROGRAM_MS_MAX = 60_000;
const SHOWN_MAX = 4000;

/** For localhost, signed by itself. */
async function certificate() {
  const attributes = [{ name: 'commonName', value: 'localhost' }];
  const made = await generate(attributes, { algorithm: 'sha256', keyType: 'rsa' });
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  writeFileSync(files.certFile, made.cert);
  writeFileSync(files.keyFile, made.private);
  return { ...files, cert: made.cert, key: made.private };
}

/** What it prints, and how it ends. */
async function outcomeOf(program, env, way) {
  const { launcher, env: added } = await wayOf(way);
  const flags = way === STOCK ? [] : ['--import', REGISTER];
  const [command, ...args] = [...launcher, process.execPath, ...flags, program];
  const options = { msMax: PROGRAM_MS_MAX, cwd: folder, capture: true };
  const ended = await runBounded(command, args, {
    ...options,
    env: { ...env, NODE_ENV: 'production', ...added },
  });
  const failure = failureOf(ended, PROGRAM_MS_MAX);
  return `${ended.output.trim()}\n${failure === undefined ? 'it ended' : `it failed: ${failure}`}`;
}

async function compare(program, env, result) {
  const path = join('programs', `${program}.mjs`);
  const expected = await outcomeOf(path, env, STOCK);
  const isSound = expected.endsWith('it ended');
  if (!isSound) console.log(`plain Node, ${program}:\n${expected.slice(-SHOWN_MAX)}`);
  for (const way of ways) {
    const seen = await outcomeOf(path, env, way);
    if (isSound && seen === expected) {
      result.passed++;
      console.log(`ok      ${program}, ${way}: ${seen.split('\n').length - 1} lines`);
      continue;
    }
    result.failed++;
    const lines = expected.split('\n');
    const first = seen.split('\n').find((line, i) => line !== lines[i]) ?? 'it says less';
    result.notes.push(`${program}, ${way}: ${isSound ? first.slice(0, 200) : 'plain Node fails'}`);
    console.log(`FAILED  ${program}, ${way}\n${seen.slice(-SHOWN_MAX)}`);
  }
}

export async function run(only = []) {
  const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
  await installPackages(source, folder, ['programs', 'next'], INSTALL_MS_MAX);
  const files = await certificate();
  const all = readdirSync(join(source, 'programs')).filter((file) => file !== 'say.mjs');
  const programs = all.map((file) => file.replace(/\.mjs$/, ''));
  for (const program of programs.filter((one) => only.length === 0 || only.includes(one))) {
    let server;
    try {
      if (program === 'next') await prepareNext(folder);
      server = await servers[program]?.(files);
      if (server?.reason !== undefined) {
        result.skipped++;
        result.notes.push(`${program}: ${server.reason}`);
        continue;
      }
      const env = { SMOKE_CERT: files.cert, SMOKE_KEY: files.key, ...server?.env };
      await compare(program, env, result);
    } catch (error) {
      result.failed++;
      result.notes.push(`${program}: ${error.message.split('\n')[0]}`);
      console.log(`FAILED  ${program}\n${error.stack}`);
    } finally {
      await server?.stop?.();
    }
  }
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed, skipped, notes } = await run(process.argv.slice(2));
  for (const note of notes) console.log(note);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed > 0 ? 1 : 0);
}
