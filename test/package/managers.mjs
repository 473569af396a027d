// Other package managers install the tarball without compiling, and without asking to.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectOutput, printed } from './checks.mjs';
import { folder, root, step } from './consumer.mjs';

const INSTALL_MS_MAX = 180_000;
const COMPILES = /node-gyp(?!-build)|binding\.gyp|[Ii]gnored build scripts/;
const MANAGERS = {
  'yarn@1.22.22': ['yarn/bin/yarn.js', (tarball) => ['add', `file:${tarball}`]],
  'pnpm@10.20.0': ['pnpm/bin/pnpm.cjs', (tarball) => ['add', tarball]],
};

export async function checkManagers(checks, tarball) {
  const tools = join(folder, 'managers');
  mkdirSync(tools, { recursive: true });
  writeFileSync(join(tools, 'package.json'), '{ "private": true }\n');
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--no-save', '--ignore-scripts'];
  await checks.check('Yarn and pnpm from npm', () =>
    step('npm install', 'npm', ['install', ...flags, ...Object.keys(MANAGERS)], {
      cwd: tools,
      msMax: INSTALL_MS_MAX,
    }),
  );
  for (const [name, [script, args]] of Object.entries(MANAGERS)) {
    await checks.check(`${name} add`, async () => {
      const app = join(folder, `app-${name.split('@')[0]}`);
      rmSync(app, { recursive: true, force: true });
      mkdirSync(app, { recursive: true });
      writeFileSync(join(app, 'package.json'), '{ "name": "app", "private": true }\n');
      const path = join(tools, 'node_modules', script);
      const output = await step(name, process.execPath, [path, ...args(tarball)], { cwd: app });
      if (COMPILES.test(output)) throw new Error(`it would compile:\n${output}`);
      const source = join(root, 'test', 'package', 'programs', 'echo.mjs');
      const program = join(app, 'echo.mjs');
      await step('cp', 'cp', [source, program]);
      expectOutput(await printed(app, process.execPath, [], 'echo.mjs'), 'hello');
    });
  }
}
