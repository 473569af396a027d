// The live page: one file, put together from the files of the folder `page`, that asks the network
// for nothing but its reports.
import { crypto, fs } from '../builtins.js';
import { packageFolder } from '../runtime/package_folder.js';

/** In the order in which they stand in the page. */
const SCRIPTS = ['format.mjs', 'chart.mjs', 'history.mjs', 'view.mjs', 'main.mjs'];
const STYLES = ['base.css', 'page.css'];
// From the sources, or from what was built of them.
const FOLDER = import.meta.url.endsWith('/lib/admin/page.ts') ? 'lib' : 'dist';

interface Page {
  html: string;
  /** What its script and style may do: Content-Security-Policy. */
  policy: string;
}

let made: Page | undefined;

/** Modules of one file: what they import of each other stands above them already. */
function joined(sources: readonly string[]): string {
  return sources
    .map((text) => text.replace(/^import .*\n/gm, '').replace(/^export /gm, ''))
    .join('\n');
}

const hashOf = (text: string) =>
  `'sha256-${crypto().createHash('sha256').update(text).digest('base64')}'`;

export function page(): Page {
  if (made === undefined) {
    const folder = new URL(`${FOLDER}/admin/page/`, packageFolder());
    const read = (name: string) => fs().readFileSync(new URL(name, folder), 'utf8');
    const style = STYLES.map(read).join('');
    const script = joined(SCRIPTS.map(read));
    const html = read('page.html')
      .replace('/* style */', () => style)
      .replace('/* script */', () => script);
    const policy = [
      "default-src 'none'",
      `script-src ${hashOf(script)}`,
      `style-src ${hashOf(style)}`,
      "connect-src 'self'",
      'img-src data:',
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
    ].join('; ');
    made = { html, policy };
  }
  return made;
}
