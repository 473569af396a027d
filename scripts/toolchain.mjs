// Finds, and where it may installs, what npm does not bring: a C++ compiler, CMake, a build tool
// and liburing.
import { execFileSync } from 'node:child_process';
import { isAbsolute } from 'node:path';
import { findProgram, run, StepError, say } from './steps.mjs';

// What each package manager calls the four.
const MANAGERS = [
  {
    program: 'apt-get',
    command: 'apt-get update && apt-get install -y',
    packages: { compiler: 'g++', make: 'make', cmake: 'cmake', liburing: 'liburing-dev' },
  },
  {
    program: 'dnf',
    command: 'dnf install -y',
    packages: { compiler: 'gcc-c++', make: 'make', cmake: 'cmake', liburing: 'liburing-devel' },
  },
  {
    program: 'apk',
    command: 'apk add',
    packages: { compiler: 'g++', make: 'make', cmake: 'cmake', liburing: 'liburing-dev' },
  },
  {
    program: 'pacman',
    command: 'pacman -S --noconfirm',
    packages: { compiler: 'gcc', make: 'make', cmake: 'cmake', liburing: 'liburing' },
  },
  {
    program: 'brew',
    command: 'brew install',
    packages: { cmake: 'cmake' },
  },
];

export function cxxCompiler() {
  const { CXX } = process.env;
  return CXX ? (isAbsolute(CXX) ? CXX : findProgram(CXX)) : findProgram('c++', 'g++', 'clang++');
}

function hasLiburing(compiler) {
  try {
    const options = { stdio: ['pipe', 'pipe', 'ignore'], encoding: 'utf8' };
    const source = { ...options, input: '#include <liburing.h>\n' };
    execFileSync(compiler, ['-E', '-x', 'c++', '-o', '/dev/null', '-'], source);
    return isAbsolute(execFileSync(compiler, ['-print-file-name=liburing.a'], options).trim());
  } catch {
    return false;
  }
}

function missingTools() {
  const compiler = cxxCompiler();
  const missing = [];
  if (!compiler) missing.push('compiler');
  if (!findProgram('cmake')) missing.push('cmake');
  if (!findProgram('ninja', 'make')) missing.push('make');
  if (process.platform === 'linux' && !(compiler && hasLiburing(compiler))) {
    missing.push('liburing');
  }
  return missing;
}

export async function aptInstall(packages) {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const wait = ['-o', 'DPkg::Lock::Timeout=120'];
  await run('apt-get update', 'apt-get', [...wait, 'update'], { env });
  const args = [...wait, 'install', '-y', '--no-install-recommends', ...packages];
  await run(`apt-get install ${packages.join(' ')}`, 'apt-get', args, { env });
}

/** Leaves only when the addon can be built; otherwise throws with the one command to type. */
export async function ensureToolchain() {
  const missing = missingTools();
  if (missing.length === 0) return;
  const manager = MANAGERS.find(({ program }) => findProgram(program));
  const isRoot = process.getuid?.() === 0;
  if (manager?.program === 'apt-get' && isRoot) {
    await aptInstall(missing.map((tool) => manager.packages[tool]));
    const still = missingTools();
    if (still.length === 0) return;
    throw new StepError(`Still missing after the installation: ${still.join(', ')}`);
  }
  say(`Needed to build the native part, and not found: ${missing.join(', ')}.`);
  const packages = missing.map((tool) => manager?.packages[tool]).filter(Boolean);
  if (!manager || packages.length === 0) {
    throw new StepError('Install a C++20 compiler, cmake, make and (on Linux) liburing.');
  }
  const sudo = isRoot || manager.program === 'brew' ? '' : 'sudo ';
  const command = manager.command.replace('&& ', `&& ${sudo}`);
  throw new StepError(
    `Type this, then start again:\n\n  ${sudo}${command} ${packages.join(' ')}\n`,
  );
}
