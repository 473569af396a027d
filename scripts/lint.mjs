// `npm run lint [-- CHECK...]`: biome over TypeScript and JavaScript, clang-format over native and
// test, clang-tidy over native/core and native/binding. `npm run format` corrects what the first
// two can.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { commandLine, refuse } from './command_line.mjs';
import { buildNative, prepare } from './setup.mjs';
import { findProgram, hashOf, inRoot, isMain, main, run, StepError, say, stamp } from './steps.mjs';
import { aptInstall } from './toolchain.mjs';

// Each version formats a little differently: this is the one of Debian 12.
const CLANG_MAJOR = 14;
const PACKAGES = [`clang-format-${CLANG_MAJOR}`, `clang-tidy-${CLANG_MAJOR}`];
const FORMATTED = ['native', 'test'];
const ANALYSED = ['native/core/', 'native/binding/'];
const COMPILE_COMMANDS = ['build', 'cmake', 'compile_commands.json'];

/** The tool is not here, and cannot be installed. */
export class NoTool extends StepError {}

function find(name) {
  const candidates = [`${name}-${CLANG_MAJOR}`, name].map((each) => findProgram(each));
  return candidates.find((path) => {
    if (path === undefined) return false;
    const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    return new RegExp(`version ${CLANG_MAJOR}\\.`).test(stdout ?? '');
  });
}

async function tool(name) {
  const found = find(name);
  if (found !== undefined) return found;
  if (findProgram('apt-get') && process.getuid?.() === 0) {
    await aptInstall(PACKAGES);
    const installed = find(name);
    if (installed !== undefined) return installed;
  }
  const command = `apt-get install ${PACKAGES.join(' ')}`;
  throw new NoTool(`${name} ${CLANG_MAJOR} was not found (Debian: ${command})`);
}

function biome(write) {
  const program = inRoot('node_modules', '@biomejs', 'biome', 'bin', 'biome');
  return run('biome', process.execPath, [program, 'check', ...(write ? ['--write'] : [])]);
}

function sources(folder) {
  const names = readdirSync(inRoot(folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /\.(cc|h)$/.test(name)).map((name) => join(folder, name));
}

async function clangFormat(write) {
  const program = await tool('clang-format');
  const flags = write ? ['-i'] : ['--dry-run', '-Werror'];
  await run('clang-format', program, [...flags, ...FORMATTED.flatMap(sources)]);
}

/** The complaints about one file, without what clang-tidy counts and suppresses. */
async function complaints(program, file) {
  const args = ['--quiet', '--warnings-as-errors=*', '-p', inRoot('build', 'cmake'), file];
  try {
    await run('', program, args);
    return '';
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    return error.message.replace(/^\d+ warnings? (generated|treated as errors).*\n/gm, '').trim();
  }
}

/** Takes as long as a build without a cache, and so nothing where its inputs are the same. */
async function clangTidy() {
  const program = await tool('clang-tidy');
  await prepare(() => buildNative({}));
  if (!existsSync(inRoot(...COMPILE_COMMANDS))) {
    throw new StepError(`no ${COMPILE_COMMANDS.join('/')}: npm run clean, npm run build:native`);
  }
  const passed = stamp(inRoot('build', '.stamp', 'clang-tidy'));
  const version = execFileSync(program, ['--version'], { encoding: 'utf8' });
  const hash = hashOf(['native', '.clang-tidy', 'CMakeLists.txt'], [version]);
  if (passed.matches(hash)) return;
  const listed = JSON.parse(readFileSync(inRoot(...COMPILE_COMMANDS), 'utf8'));
  const files = listed
    .map(({ file }) => relative(inRoot(), file))
    .filter((file) => ANALYSED.some((folder) => file.startsWith(folder)));
  say(`clang-tidy: ${files.length} files`);
  const waiting = [...new Set(files)];
  const found = [];
  const work = async () => {
    while (waiting.length > 0) found.push(await complaints(program, waiting.pop()));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const text = found.filter((each) => each !== '').join('\n');
  if (text !== '') throw new StepError(text);
  passed.write(hash);
}

/** By name. Each rejects with a StepError when it finds something. */
export const checks = { biome, 'clang-format': clangFormat, 'clang-tidy': clangTidy };

const USAGE = `usage: npm run lint [-- CHECK...]
  all checks, or the ones that are named: ${Object.keys(checks).join(', ')}
  npm run format   corrects what biome and clang-format find`;

async function lint() {
  const options = { write: { type: 'boolean', default: false } };
  const { values, positionals } = commandLine(USAGE, { options, allowPositionals: true });
  const unknown = positionals.find((name) => !(name in checks));
  if (unknown) refuse(`No such check: ${unknown}`, USAGE);
  const usual = values.write ? ['biome', 'clang-format'] : Object.keys(checks);
  const failed = [];
  for (const name of positionals.length > 0 ? positionals : usual) {
    try {
      await checks[name](values.write);
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
      failed.push(name);
      say(error.message.trim());
    }
  }
  if (failed.length > 0) throw new StepError(`lint: ${failed.join(', ')}`);
}

if (isMain(import.meta.url)) await main(lint);
