// `ringpoll build`: compiles the addon from the sources that the package brings along.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, EXIT } from './command.js';
import { JSON_OPTION } from './help.js';
import { type Output, reporting } from './output.js';

const top = fileURLToPath(new URL('../..', import.meta.url));
const WAYS = {
  cmake: { tool: 'cmake-js', program: 'cmake-js/bin/cmake-js', args: ['compile'] },
  gyp: { tool: 'node-gyp', program: 'node-gyp/bin/node-gyp.js', args: ['rebuild'] },
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

/** What the package was developed with: the same versions build it elsewhere. */
function toolVersions(): Record<string, string> {
  const text = readFileSync(join(top, 'package.json'), 'utf8');
  return (JSON.parse(text) as { devDependencies: Record<string, string> }).devDependencies;
}

function resolves(path: string): string | undefined {
  try {
    return createRequire(join(top, 'package.json')).resolve(path);
  } catch {
    return undefined;
  }
}

// With --json standard output is for the document: what the tools print goes to standard error.
function run(command: string, args: readonly string[], output: Output): Promise<number> {
  return new Promise((resolve) => {
    const stdout = output.json ? process.stderr : 'inherit';
    const stdio = ['ignore', stdout, 'inherit'] as const;
    const child: ChildProcess = spawn(command, args, { cwd: top, stdio: [...stdio] });
    child.once('error', (error) => {
      output.note(`${command}: ${error.message}`);
      resolve(EXIT.failure);
    });
    child.once('close', (code) => resolve(code ?? EXIT.failure));
  });
}

/** As run(), and says how long it takes: the tools can be silent for long. */
function report(what: string, command: string, args: readonly string[], output: Output) {
  return reporting(output, () => `${what} ...`, run(command, args, output));
}

async function fetchTools(tool: string, output: Output): Promise<number> {
  const versions = toolVersions();
  const names = [tool, 'node-addon-api'].filter((name) => !resolves(`${name}/package.json`));
  if (names.length === 0) return EXIT.ok;
  const specs = names.map((name) => `${name}@${versions[name]}`);
  const flags = ['--no-save', '--no-package-lock', '--omit=dev', '--ignore-scripts'];
  output.note(`npm install ${specs.join(' ')}`);
  const all = ['install', ...flags, '--no-audit', '--no-fund', ...specs];
  return report('npm install', 'npm', all, output);
}

export const command: Command = {
  summary: 'compile the addon for this machine from the sources in the package',
  details: NEEDED,
  examples: ['build', 'build --gyp'],
  options: {
    gyp: { type: 'boolean', help: 'use node-gyp (needs Python) in place of cmake-js' },
    json: JSON_OPTION,
  },
  async run(values, _operands, output) {
    const gyp = values.gyp === true || (!has('cmake') && has('python3'));
    const { tool, program, args } = WAYS[gyp ? 'gyp' : 'cmake'];
    const path = join('build', 'Release', 'ringpoll.node');
    const ready = (await fetchTools(tool, output)) === 0;
    const code = ready
      ? await report(tool, process.execPath, [resolves(program) ?? program, ...args], output)
      : EXIT.failure;
    const built = code === 0 && existsSync(join(top, path));
    if (output.json) output.document({ built, tool, addon: built ? join(top, path) : undefined });
    else if (built) output.line(`built ${join(top, path)}`);
    if (!built) output.note(NEEDED);
    return built ? EXIT.ok : EXIT.failure;
  },
};
