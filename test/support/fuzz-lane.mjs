// A lane that fuzzes a few targets under AddressSanitizer and UBSan: guided by coverage where clang
// has libFuzzer, otherwise by chance alone.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../scripts/steps.mjs';
import { cxxCompiler } from '../../scripts/toolchain.mjs';
import { failureOf, runBounded } from './command.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const EXTRA_MS_MAX = 60_000; // beyond the time that the fuzzer is told to take
const INPUT_BYTES_MAX = 1024;
const CLANGS = [19, 18, 17, 16, 15, 14].map((version) => `clang++-${version}`);
const FLAGS = ['-std=c++20', '-O1', '-g', '-fno-omit-frame-pointer', '-D_GNU_SOURCE'];

/**
 * `part`: the folder in test/fuzz and build/fuzz. `targets`: seconds by target. `flags`,
 * `sources(target)` and `libraries`: what is compiled with the target's own file. `seeds(target)`:
 * inputs to begin with. Inputs that break something are kept in the build folder.
 */
export function fuzzLane({ part, targets, flags, sources, libraries = [], seeds, dictionary }) {
  const from = join(root, 'test', 'fuzz', part);
  const folder = join(root, 'build', 'fuzz', part);
  const guideFile = (target) => join(folder, `${target}-guided.json`);

  function compile(compiler, sanitizers, target, files) {
    const sanitize = [`-fsanitize=${sanitizers}`, '-fno-sanitize-recover=all'];
    const output = ['-o', join(folder, target), ...libraries];
    const args = [...FLAGS, ...flags, ...sanitize, ...files, ...sources(target), ...output];
    return runBounded(compiler, args, { capture: true });
  }

  /** Builds a target; resolves with whether it is guided by coverage. */
  async function build(target) {
    const main = join(from, `${target}.cc`);
    for (const clang of CLANGS.concat('clang++').map((program) => findProgram(program))) {
      if (!clang) continue;
      const built = await compile(clang, 'fuzzer,address,undefined', target, [main]);
      if (!failureOf(built)) return true;
    }
    const random = join(root, 'test/fuzz/random_main.cc');
    const built = await compile(cxxCompiler(), 'address,undefined', target, [main, random]);
    const failure = failureOf(built);
    if (failure) throw new Error(`${target} does not build: ${failure}\n${built.output}`);
    return false;
  }

  async function prepare() {
    mkdirSync(folder, { recursive: true });
    for (const target of Object.keys(targets)) {
      writeFileSync(guideFile(target), JSON.stringify(await build(target)));
    }
  }

  /** How a target that is built is to be run. */
  function commandOf(target, seconds) {
    const corpus = join(folder, `${target}-corpus`);
    if (!JSON.parse(readFileSync(guideFile(target), 'utf8'))) {
      return { args: [String(seconds), corpus], how: 'by chance alone: no clang with libFuzzer' };
    }
    const options = [
      ...[`-max_total_time=${seconds}`, `-max_len=${INPUT_BYTES_MAX}`, '-timeout=10'],
      ...(dictionary ? [`-dict=${join(from, dictionary)}`] : []),
      ...[`-artifact_prefix=${join(folder, target)}-`, '-print_final_stats=1', '-verbosity=1'],
      ...['-seed=1', '-rss_limit_mb=1024'],
    ];
    return { args: [...options, corpus], how: 'guided by coverage' };
  }

  function writeSeeds(target) {
    const corpus = join(folder, `${target}-corpus`);
    mkdirSync(corpus, { recursive: true });
    for (const [index, seed] of seeds(target).entries()) {
      writeFileSync(join(corpus, `seed-${index}`), seed, 'latin1');
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

  /** Finds nothing, or fails with what it found. */
  async function run(chosen = targets) {
    const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
    for (const [target, seconds] of Object.entries(chosen)) {
      const { failed, note } = await fuzz(target, seconds);
      if (failed) console.log(failed);
      if (failed) result.failed++;
      else result.passed++;
      result.notes.push(failed ? failed.split('\n')[0] : note);
    }
    return result;
  }

  /** Gives a target every file of a folder once, as it is. Builds it first. */
  async function replay(target, inputs, msMax) {
    mkdirSync(folder, { recursive: true });
    const guided = await build(target);
    const args = guided ? ['-runs=0', '-timeout=10', '-rss_limit_mb=2048', inputs] : ['0', inputs];
    const ended = await runBounded(join(folder, target), args, { msMax, capture: true });
    const broken = failureOf(ended, msMax);
    return broken && `${target}: ${broken}\n${ended.output.slice(-8000)}`;
  }

  /** The lane as a program: SECONDS for each target. */
  async function byHand(seconds) {
    const chosen = Object.keys(targets).map((target) => [target, seconds || targets[target]]);
    await prepare();
    const { passed, failed, notes } = await run(Object.fromEntries(chosen));
    for (const note of notes) console.log(note);
    console.log(`${passed} passed, ${failed} failed`);
    process.exitCode = failed > 0 ? 1 : 0;
  }

  return { oneCpu: true, prepare, run: () => run(), replay, byHand };
}
