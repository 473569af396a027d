// The documentation site: which page stands where. `npm run docs` builds it.
import { readdirSync } from 'node:fs';

const pages = (...names) => names.map(([text, path]) => ({ text, link: `/docs/${path}` }));

/** The API reference, as typedoc has written it. */
function reference(root) {
  const entries = {
    ...{ ringpoll: 'index', 'ringpoll/http': 'http', 'ringpoll/fs': 'fs' },
    'ringpoll/client': 'client',
    'ringpoll/upstream': 'upstream',
    'ringpoll/guards': 'guards',
    'ringpoll/lifecycle': 'lifecycle',
    'ringpoll/queues': 'queues',
    'ringpoll/websocket': 'websocket',
    'ringpoll/crossws': 'crossws',
    'ringpoll/tls': 'tls',
    'ringpoll/udp': 'udp',
    'ringpoll/framing': 'framing',
    'ringpoll/threads': 'threads',
    'ringpoll/admin': 'admin',
    'ringpoll/tracing': 'tracing',
    'ringpoll/fastify': 'fastify',
  };
  entries['ringpoll/scheduler'] = 'scheduler';
  return Object.entries(entries).map(([text, folder]) => ({
    text,
    link: `/api/${folder}/README`,
    collapsed: true,
    items: readdirSync(`${root}/api/${folder}`, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name }) =>
        readdirSync(`${root}/api/${folder}/${name}`).map((file) => ({
          text: file.replace(/\.md$/, ''),
          link: `/api/${folder}/${name}/${file.replace(/\.md$/, '')}`,
        })),
      ),
  }));
}

// Tables and code need width: 74 columns of code beside the two side bars at 1280 pixels, 100 on
// wider screens. Where there is room, a name in the first column of a table does not break. A
// column of text has room for two or three words, and the table scrolls. A table without headings
// has no bar for them.
const CSS = `
:root:root { --vp-code-font-size: 0.8125em; }
.vp-doc td:not([style*='right']) { min-width: 9em; }
.vp-doc thead:not(:has(th:not(:empty))) { display: none; }
@media (min-width: 640px) { .vp-doc td:first-child > code { white-space: nowrap; } }
@media (min-width: 1440px) {
  #VPContent .VPDoc.has-aside > .container { max-width: 1280px; }
  #VPContent .VPDoc.has-aside .content { max-width: 928px; }
  #VPContent .VPDoc.has-aside .content-container { max-width: 864px; }
}
`;

/** A page of the docs comes before one of the API reference. */
const boostDocument = (id) => (id.startsWith('/api/') ? 0.2 : 1);

export default (root, groups) => ({
  title: 'ringpoll',
  description: 'io_uring and epoll in one loop, for Node.js',
  srcDir: '.',
  outDir: '../out',
  cacheDir: '../cache',
  rewrites: { 'README.md': 'index.md' },
  cleanUrls: false,
  lastUpdated: false,
  head: [
    ['style', {}, CSS],
    ['link', { rel: 'icon', href: 'data:,' }],
  ],
  themeConfig: {
    search: {
      provider: 'local',
      options: { miniSearch: { searchOptions: { boostDocument } } },
    },
    outline: [2, 3],
    nav: [
      { text: 'Getting started', link: '/docs/getting-started' },
      { text: 'TCP', link: '/docs/tcp' },
      { text: 'HTTP', link: '/docs/http' },
      { text: 'API', link: '/api/README' },
    ],
    sidebar: [
      ...groups.map(({ text, items }) => ({ text, items: pages(...items) })),
      { text: 'API', items: reference(root) },
    ],
  },
});
