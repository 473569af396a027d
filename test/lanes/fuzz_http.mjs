// The lane that fuzzes the HTTP parsers under AddressSanitizer and UBSan: guided by coverage where
// clang has libFuzzer, otherwise by chance alone.
// By hand: node test/lanes/fuzz_http.mjs [SECONDS]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../scripts/steps.mjs';
import { cxxCompiler } from '../../scripts/toolchain.mjs';
import { includes, parserSources } from '../http/parser_sources.mjs';
import { PREFACES, VALID_REQUESTS } from '../http/valid_requests.mjs';
import { failureOf, runBounded } from '../support/command.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const sources = join(root, 'test', 'fuzz', 'http');
const folder = join(root, 'build', 'fuzz', 'http');
const EXTRA_MS_MAX = 60_000; // beyond the time that the fuzzer is told to take
const INPUT_BYTES_MAX = 1024;
const CLANGS = [19, 18, 17, 16, 15, 14].map((version) => `clang++-${version}`);

// Seconds by target; both together take 20.
const TARGETS = { request_fuzz: 16, preface_fuzz: 4 };

export const name = 'fuzz http';

const flags = ['-std=c++20', '-O1', '-g', '-fno-omit-frame-pointer', ...includes];

function compile(compiler, sanitizers, target, files) {
  const sanitize = [`-fsanitize=${sanitizers}`, '-fno-sanitize-recover=all'];
  const args = [...flags, ...sanitize, ...files, ...parserSources, '-o', join(folder, target)];
  return runBounded(compiler, args, { capture: true });
}

/** Builds a target; resolves with whether it is guided by coverage. */
async function build(target) {
  const main = join(sources, `${target}.cc`);
  for (const clang of CLANGS.concat('clang++').map((program) => findProgram(program))) {
    if (!clang) continue;
    const built = await compile(clang, 'fuzzer,address,undefined', target, [main]);
    if (!failureOf(built)) return true;
  }
  const random = join(sources, 'random_main.cc');
  const built = await compile(cxxCompiler(), 'address,undefined', target, [main, random]);
  const failure = failureOf(built);
  if (failure) throw new Error(`${target} does not build: ${failure}\n${built.output}`);
  return false;
}

const guideFile = (target) => join(folder, `${target}-guided.json`);

export async function prepare() {
  mkdirSync(folder, { recursive: true });
  for (const target of Object.keys(TARGETS)) {
    writeFileSync(guideFile(target), JSON.stringify(await build(target)));
  }
}

/** How a target that is built is to be run. */
function commandOf(target, seconds) {
  const seeds = join(folder, `${target}-corpus`);
  if (!JSON.parse(readFileSync(guideFile(target), 'utf8'))) {
    return { args: [String(seconds), seeds], how: 'by chance alone: no clang with libFuzzer' };
  }
  const options = [
    ...[`-max_total_time=${seconds}`, `-max_len=${INPUT_BYTES_MAX}`, '-timeout=10'],
    ...[`-dict=${join(sources, 'http.dict')}`, `-artifact_prefix=${join(folder, target)}-`],
    ...['-print_final_stats=1', '-verbosity=1', '-seed=1', '-rss_limit_mb=1024'],
  ];
  return { args: [...options, seeds], how: 'guided by coverage' };
}

function writeSeeds(target) {
  const seeds = join(folder, `${target}-corpus`);
  mkdirSync(seeds, { recursive: true });
  // request_fuzz takes its options from the first two bytes.
  const texts = target === 'request_fuzz' ? VALID_REQUESTS.map((text) => `\0\0${text}`) : PREFACES;
  for (const [index, text] of texts.entries()) {
    writeFileSync(join(seeds, `seed-${index}`), text, 'latin1');
  }
}

async function fuzz(target, seconds) {
  writeSeeds(target);
  const { args, how } = commandOf(target, seconds);
  const msMax = seconds * 1000 + EXTRA_MS_MAX;
  const ended = await runBounded(join(folder, target), args, { msMax, capture: true });
  const broken = failureOf(ended, msMax);
  if (broken) return { failed: `${target}: ${broken}\n${ended.output.slice(-8000)}` };
  const runs = /stat::number_of_executed_units:\s*(\d+)|(\d+) runs/.exec(ended.output);
  return { note: `${target}: ${runs?.[1] ?? runs?.[2]} inputs in ${seconds} s, ${how}` };
}

/** Finds nothing, or fails with what it found; inputs are kept in build/fuzz/http. */
export async function run(targets = TARGETS) {
  const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
  for (const [target, seconds] of Object.entries(targets)) {
    const { failed, note } = await fuzz(target, seconds);
    if (failed) console.log(failed);
    if (failed) result.failed++;
    else result.passed++;
    result.notes.push(failed ? failed.split('\n')[0] : note);
  }
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const seconds = Number(process.argv[2] ?? 0);
  const targets = Object.keys(TARGETS).map((target) => [target, seconds || TARGETS[target]]);
  await prepare();
  const { passed, failed, notes } = await run(Object.fromEntries(targets));
  for (const note of notes) console.log(note);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
