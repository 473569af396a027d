import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

// Every test is bounded: a hang has to fail. Beside what else is compiled and run, on two CPUs, a
// test takes several times what it takes alone: the bound is for a hang, not for the machine.
const TEST_MS_MAX = 30_000;
const HOOK_MS_MAX = 10_000;

// The conformance tests load every core, and some of them measure time: few at once.
const WORKERS_MAX = 2;

// Over TLS: then listen(), connect() and serve() are stood in for. See test/lanes/over_tls.mjs.
const overTls = process.env.RINGPOLL_TEST_TLS !== undefined;
const entry = (file: string, standIn: string) =>
  path(overTls ? `test/support/tls/${standIn}` : `lib/${file}`);

// Entries of the package that are folders of lib under the same name.
const ENTRIES = [
  ...['admin', 'client', 'config', 'crossws', 'dgram', 'framing', 'fs', 'guards', 'lifecycle'],
  ...['net', 'queues', 'scheduler', 'threads', 'tls', 'tracing', 'udp', 'upstream', 'websocket'],
];

const ATTACK = 'test/conformance/attack.test.ts';

export default defineConfig({
  resolve: {
    // Tests see one copy of the package, whether they import it by name or a module of it.
    alias: [
      { find: /^ringpoll$/, replacement: entry('index.ts', 'ringpoll.ts') },
      { find: /^ringpoll\/http$/, replacement: entry('http/index.ts', 'ringpoll_http.ts') },
      {
        find: new RegExp(`^ringpoll/(${ENTRIES.join('|')})$`),
        replacement: path('lib/$1/index.ts'),
      },
    ],
  },
  test: {
    pool: 'forks',
    execArgv: ['--expose-gc'],
    maxWorkers: WORKERS_MAX,
    testTimeout: TEST_MS_MAX,
    expect: { poll: { timeout: HOOK_MS_MAX } },
    hookTimeout: HOOK_MS_MAX,
    teardownTimeout: HOOK_MS_MAX,
    silent: 'passed-only',
    passWithNoTests: true,
    // test/run.mjs sets these for its lanes; by hand, `npx vitest` means hybrid.
    env: {
      RINGPOLL_TEST_CONFIG: process.env.RINGPOLL_TEST_CONFIG ?? 'hybrid',
      RINGPOLL_ENGINE: process.env.RINGPOLL_ENGINE ?? 'hybrid',
    },
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          exclude: [ATTACK],
        },
      },
      // After the others, with the machine to itself: it takes all that there is.
      { extends: true, test: { name: 'attack', include: [ATTACK], sequence: { groupOrder: 1 } } },
    ],
  },
});
