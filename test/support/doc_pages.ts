// The pages of the docs, those in folders too, by their paths from the root.
import { readdirSync } from 'node:fs';
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
