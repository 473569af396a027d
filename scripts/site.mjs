// The documentation site: all pages, the API reference and a search that needs no network, as
// static files in build/site/out.
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hashOf, inRoot, run, say, stamp } from './steps.mjs';

const FOLDER = inRoot('build', 'site');
const TOOLS = inRoot('docs', 'site');

/** Pages stand in the site where they stand in the repository, so that their links hold. */
function copyPages(into) {
  const names = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];
  for (const folder of ['docs', 'bench', 'bench/results']) {
    const below = readdirSync(inRoot(folder), { recursive: folder === 'docs' });
    names.push(...below.map((name) => `${folder}/${name}`));
  }
  for (const name of names) {
    // What no page is goes into the site as it is: the trials that the pages name.
    const folder = /^bench\/results\/.*\.(json|html)$/.test(name) ? join(into, 'public') : into;
    if (folder === into && !/\.(md|svg|png)$/.test(name)) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    cpSync(inRoot(name), join(folder, name));
  }
}

async function installTools() {
  const installed = stamp(join(FOLDER, 'tools.stamp'));
  const hash = hashOf(['docs/site/package.json', 'docs/site/package-lock.json']);
  if (installed.matches(hash)) return;
  installed.clear();
  mkdirSync(FOLDER, { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) {
    cpSync(join(TOOLS, name), join(FOLDER, name));
  }
  await run('installing the site generator', 'npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: FOLDER,
  });
  installed.write(hash);
}

/** `writeReference(folder)` writes the API reference as Markdown. */
export async function buildSite(writeReference) {
  const pages = join(FOLDER, 'pages');
  rmSync(pages, { recursive: true, force: true });
  await installTools();
  copyPages(pages);
  await writeReference(join(pages, 'api'));
  mkdirSync(join(pages, '.vitepress'));
  const config = [
    `import make from ${JSON.stringify(join(TOOLS, 'config.mjs'))};`,
    `import { groups } from ${JSON.stringify(join(TOOLS, 'pages.mjs'))};`,
    `export default make(${JSON.stringify(pages)}, groups);`,
  ];
  writeFileSync(join(pages, '.vitepress', 'config.mjs'), `${config.join('\n')}\n`);
  const program = join(FOLDER, 'node_modules', 'vitepress', 'bin', 'vitepress.js');
  await run('building the site', process.execPath, [program, 'build', pages], { cwd: FOLDER });
  say(`the site: ${join(FOLDER, 'out', 'index.html')}`);
}
