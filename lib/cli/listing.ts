// A folder without an index.html, as a page of links.
import type { Dirent } from 'node:fs';
import { readdir } from '../fs/index.js';
import { type HttpRequest, HttpRequestError, type HttpResponse } from '../http/index.js';
import { within } from '../http/send_file.js';

/** Names that are listed; of a folder with more, the first ones. */
const NAMES_MAX = 10_000;
const INDEX = 'index.html';
const HTML = 'text/html; charset=utf-8';
const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => ENTITIES[character]);

function notFound(cause?: unknown): HttpRequestError {
  return new HttpRequestError('ERR_RINGPOLL_HTTP_NOT_FOUND', 404, 'Not Found', { cause });
}

/** The names in `folder` that are served: no dotfiles. Folders end in a slash. */
async function namesIn(folder: string): Promise<string[]> {
  let found: Dirent[];
  try {
    found = await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw notFound(cause);
  }
  return found
    .filter(({ name }) => !name.startsWith('.'))
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort()
    .slice(0, NAMES_MAX);
}

export function page(path: string, names: readonly string[]): string {
  const links = names.map((name) => {
    // Begins with ./, as a name may look like a scheme (`a:b`).
    const target = `./${encodeURIComponent(name).replace(/%2F$/, '/')}`;
    return `<li><a href="${escaped(target)}">${escaped(name)}</a></li>\n`;
  });
  const title = escaped(path);
  return (
    `<!doctype html>\n<meta charset="utf-8">\n<title>${title}</title>\n<h1>${title}</h1>\n` +
    `<ul>\n${links.join('')}</ul>\n`
  );
}

/** Answers a path that ends in a slash: with the folder's index.html, or a list of what it has. */
export async function sendFolder(
  request: HttpRequest,
  response: HttpResponse,
  root: string,
): Promise<void> {
  const { path } = request;
  try {
    return await response.sendFile(path + INDEX, { root });
  } catch (error) {
    if (!(error instanceof HttpRequestError) || error.status !== 404) throw error;
  }
  const folder = within(root, path.replace(/\/+$/, ''), false);
  if (folder === undefined) throw notFound();
  const text = page(decodeURIComponent(path), await namesIn(folder));
  response.header('Content-Type', HTML).end(text);
}
