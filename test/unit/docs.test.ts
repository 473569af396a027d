// Every block of JavaScript in the docs runs, and what the docs take from the sources is fresh.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { groups } from '../../docs/site/pages.mjs';
import { codeOf, docPages } from '../support/doc_pages.js';
import { blockName, runBlock } from '../support/doc_programs.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const TEST_MS_MAX = 30_000;
const pages = ['README.md', ...docPages(root)];
const blocks = pages
  .flatMap((page) => codeOf(root, page))
  .map((block) => ({ name: blockName(block), block }));

describe('the docs', () => {
  it.for(blocks)('run: $name', { timeout: TEST_MS_MAX }, async ({ block }) => {
    const { code, signal, text } = await runBlock(block);
    expect({ code, signal }, text).toEqual({ code: 0, signal: null });
  });

  it('name every counter of the core with its meaning', () => {
    const header = readFileSync(join(root, 'native/core/base/metrics.h'), 'utf8');
    const counters = [...header.matchAll(/X\((\w+),\s*"([^"]+)"\)/g)];
    const page = readFileSync(join(root, 'docs/metrics.md'), 'utf8');
    const missing = counters.filter(([, name, meaning]) => {
      return !page.includes(`| \`${name}\` | ${meaning} |`);
    });
    expect(missing.map(([, name]) => name)).toEqual([]);
  });

  it.each([
    ['lib/http/options.ts', 'HttpOptions', 'docs/http.md'],
    ['lib/http/serve.ts', 'CommonOptions', 'docs/http.md'],
    ['lib/http/send_file.ts', 'SendFileOptions', 'docs/http.md'],
    ['lib/tcp/handlers.ts', 'HandlersOf', 'docs/tcp.md'],
    ['lib/tcp/handlers.ts', 'ConnectionOptions', 'docs/tcp.md'],
    ['lib/tcp/listen_options.ts', 'ListenOptions', 'docs/tcp.md'],
    ['lib/tcp/connect.ts', 'ConnectOptions', 'docs/tcp.md'],
    ['lib/admin/options.ts', 'AdminOptions', 'docs/observability.md'],
    ['lib/threads/options.ts', 'LoopGroupOptions', 'docs/threads.md'],
    ['lib/tls/context_options.ts', 'ContextOptions', 'docs/tls.md'],
    ['lib/tls/files.ts', 'FileOptions', 'docs/tls.md'],
    ['lib/tls/server_options.ts', 'ServerTlsOptions', 'docs/tls.md'],
    ['lib/tls/client_options.ts', 'ClientTlsOptions', 'docs/tls.md'],
    ['lib/websocket/handlers.ts', 'WebSocketHandlersOf', 'docs/websocket.md'],
    ['lib/websocket/settings.ts', 'SocketOptions', 'docs/websocket.md'],
    ['lib/websocket/settings.ts', 'PublishOptions', 'docs/websocket.md'],
    ['lib/websocket/settings.ts', 'HeartbeatOptions', 'docs/websocket.md'],
    ['lib/websocket/deflate.ts', 'DeflateOptions', 'docs/websocket.md'],
    ['lib/websocket/reconnection.ts', 'ReconnectOptions', 'docs/websocket.md'],
    ['lib/websocket/connect.ts', 'WebSocketClientOptions', 'docs/websocket.md'],
  ])('name every option: %s, %s', (file, name, path) => {
    const source = readFileSync(join(root, file), 'utf8');
    const [, body] = new RegExp(`interface ${name}[^{]*\\{\\n(.*?)^\\}`, 'ms').exec(source) ?? [];
    const current = (body ?? '').replace(/\/\*\* @deprecated [^/]*\*\/\n {2}\w+/g, '');
    const options = [...current.matchAll(/^ {2}(\w+)\??[:(]/gm)].map(([, option]) => option);
    expect(options.length).toBeGreaterThan(0);
    const page = readFileSync(join(root, path), 'utf8');
    expect(options.filter((option) => !page.includes(`\`${option}`))).toEqual([]);
  });

  it('lead from each page to pages that are there', () => {
    const existing = new Set(pages);
    const dead = pages
      .flatMap((path) => {
        const links = readFileSync(join(root, path), 'utf8').matchAll(/\]\(([^)#:]+\.md)[^)]*\)/g);
        return [...links].map(([, link]) => join(path, '..', link!));
      })
      .filter((link) => link.startsWith('docs/'))
      .filter((link) => !existing.has(link));
    expect(dead).toEqual([]);
  });

  it('stand in the site, each page once', () => {
    const listed = groups.flatMap(({ items }) => items.map(([, path]) => `docs/${path}.md`));
    expect(listed.sort()).toEqual(docPages(root));
  });
});
