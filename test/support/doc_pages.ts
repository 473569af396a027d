// The pages of the docs, those in folders too, by their paths from the root, and their code.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of the files below a folder, with slashes, from the root. */
export function filesBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(root, path) : [path];
  });
}

/** Every page of docs: `docs/http.md`, `docs/migrating/bun.md`, ... */
export function docPages(root: string): string[] {
  return filesBelow(root, 'docs')
    .filter((path) => path.endsWith('.md') && !path.includes('/node_modules/'))
    .sort();
}

export interface Block {
  page: string;
  /** The line of the page on which it begins. */
  line: number;
  language: string;
  text: string;
}

/** The fenced blocks of a page; no language is ''. */
export function blocksOf(root: string, page: string): Block[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map((match) => ({
    page,
    line: text.slice(0, match.index).split('\n').length,
    language: match[1]!,
    text: match[2]!,
  }));
}

/** Those of JavaScript and TypeScript, which are run. */
export function codeOf(root: string, page: string): Block[] {
  return blocksOf(root, page).filter(({ language }) => language === 'js' || language === 'ts');
}
