// `ringpoll build`: compiles the addon from the sources that the package brings along.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  ADDON,
  BENCH_ADDON,
  type BuildFolder,
  keepAddon,
  makeBuildFolder,
  removeBuildFolder,
} from './build_folder.js';
import { type Command, EXIT } from './command.js';
import { JSON_OPTION } from './help.js';
import { type Output, reporting } from './output.js';

const top = fileURLToPath(new URL('../..', import.meta.url));
const WAYS = {
  cmake: {
    tool: 'cmake-js',
    program: 'cmake-js/bin/cmake-js',
    args: ['compile', '--target', 'ringpoll'],
    benchArgs: ['compile', '--target', 'ringpoll_bench'],
  },
  gyp: {
    tool: 'node-gyp',
    program: 'node-gyp/bin/node-gyp.js',
    args: ['rebuild'],
    benchArgs: ['rebuild', '--ringpoll_bench=1'],
  },
} as const;

const NEEDED = `The build needs a C++20 compiler, make or ninja, cmake (or Python, with --gyp) and,
on Linux, liburing's headers and static library:
  Debian  apt-get install g++ make cmake liburing-dev
  Alpine  apk add g++ make cmake liburing-dev linux-headers
  Fedora  dnf install gcc-c++ make cmake liburing-devel`;

function has(program: string): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, program)));
}

// With --json standard output is for the document: what the tools print goes to standard error.
function run(
  command: string,
  args: readonly string[],
  cwd: string,
  output: Output,
): Promise<number> {
  return new Promise((resolve) => {
    const stdout = output.json ? process.stderr : 'inherit';
    const stdio = ['ignore', stdout, 'inherit'] as const;
    const child: ChildProcess = spawn(command, args, { cwd, stdio: [...stdio] });
    child.once('error', (error) => {
      output.note(`${command}: ${error.message}`);
      resolve(EXIT.failure);
    });
    child.once('close', (code) => resolve(code ?? EXIT.failure));
  });
}

/** As run(), and says how long it takes: the tools can be silent for long. */
function report(what: string, work: Promise<number>, output: Output): Promise<number> {
  return reporting(output, () => `${what} ...`, work);
}

async function fetchTools({ path, missing }: BuildFolder, output: Output): Promise<number> {
  if (missing.length === 0) return EXIT.ok;
  const flags = ['--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
  output.note(`npm install ${missing.join(' ')}`);
  const args = ['install', ...flags, ...missing];
  return report('npm install', run('npm', args, path, output), output);
}

/** Resolves with where the addon is; undefined: something failed, and has said so. */
async function build(
  way: keyof typeof WAYS,
  bench: boolean,
  output: Output,
): Promise<string | undefined> {
  const { tool, program, args, benchArgs } = WAYS[way];
  const folder = makeBuildFolder(top, [tool, 'node-addon-api']);
  try {
    if ((await fetchTools(folder, output)) !== 0) return undefined;
    const script = join(folder.path, 'node_modules', program);
    const words = [script, ...(bench ? benchArgs : args)];
    const compiling = run(process.execPath, words, folder.path, output);
    if ((await report(tool, compiling, output)) !== 0) return undefined;
    return keepAddon(folder, top, bench ? BENCH_ADDON : ADDON);
  } finally {
    removeBuildFolder(folder);
  }
}

export const command: Command = {
  summary: 'compile the addon for this machine from the sources in the package',
  details: NEEDED,
  examples: ['build', 'build --gyp', 'build --bench'],
  options: {
    bench: {
      type: 'boolean',
      help: 'compile the native benchmarks of `ringpoll bench`, and not the addon',
    },
    gyp: { type: 'boolean', help: 'use node-gyp, which needs Python, instead of cmake-js' },
    json: JSON_OPTION,
  },
  async run(values, _operands, output) {
    const gyp = values.gyp === true || (!has('cmake') && has('python3'));
    const way = gyp ? 'gyp' : 'cmake';
    const addon = await build(way, values.bench === true, output);
    const built = addon !== undefined;
    if (output.json) output.document({ built, tool: WAYS[way].tool, addon });
    else if (built) output.line(`built ${addon}`);
    if (!built) output.note(NEEDED);
    return built ? EXIT.ok : EXIT.failure;
  },
};
