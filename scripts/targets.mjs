// What prebuilt addons there are, and how each can be cross-compiled on a Debian machine (x64).
//
// `compiler`: a cross compiler of the distribution; `zig`: a target of the Zig compiler, which
// brings the C library and libc++ of every target along. The machine's own target needs neither.
// macOS is not among them: an addon that nobody could load here proves nothing.
export const TARGETS = {
  'linux-x64-glibc': {
    system: 'Linux',
    processor: 'x86_64',
    debian: 'amd64',
    compiler: 'x86_64-linux-gnu-g++',
  },
  'linux-arm64-glibc': {
    system: 'Linux',
    processor: 'aarch64',
    debian: 'arm64',
    compiler: 'aarch64-linux-gnu-g++',
  },
  'linux-x64-musl': {
    system: 'Linux',
    processor: 'x86_64',
    debian: 'amd64',
    zig: 'x86_64-linux-musl',
  },
  'linux-arm64-musl': {
    system: 'Linux',
    processor: 'aarch64',
    debian: 'arm64',
    zig: 'aarch64-linux-musl',
  },
};

/** The C library of this process, where there is more than one to choose from. */
function libc() {
  if (process.platform !== 'linux') return undefined;
  return process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
}

/** The name of the target that this process runs on; it need not be one of TARGETS. */
export function hostTarget() {
  return [process.platform, process.arch, libc()].filter(Boolean).join('-');
}

/** Where node-gyp-build looks for the addon of a target, relative to the top. */
export function prebuildPath(target) {
  const [platform, arch, ...tags] = target.split('-');
  return ['prebuilds', `${platform}-${arch}`, ['ringpoll', ...tags, 'node'].join('.')];
}
