// The imports of the sources, and the circles and the forbidden arrows among them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** From each file, relative to the root, to the files that it imports. */
export type Imports = Map<string, string[]>;

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

function importsOf(
  root: string,
  folder: string,
  suffixes: RegExp,
  targets: (path: string, text: string) => string[],
): Imports {
  const imports: Imports = new Map();
  for (const path of filesUnder(join(root, folder))) {
    if (!suffixes.test(path)) continue;
    const found = targets(path, readFileSync(path, 'utf8')).filter((target) => existsSync(target));
    const names = found.map((target) => relative(root, target));
    imports.set(relative(root, path), [...new Set(names)]);
  }
  return imports;
}

/** Of TypeScript, types included, and imports at run time (`import()`) too. */
export function importsOfTypeScript(root: string, folder: string): Imports {
  const from = /(?:\bfrom\s*|\bimport\s*\(?\s*)'(\.{1,2}\/[^']+)\.js'/g;
  return importsOf(root, folder, /\.ts$/, (path, text) => {
    const code = text.replace(/^\s*(\*|\/\/).*$/gm, '');
    return [...code.matchAll(from)].map(([, target]) => resolve(dirname(path), `${target}.ts`));
  });
}

/** Of C++: quoted includes, looked up beside the file and in `native`. */
export function importsOfCpp(root: string, folder: string): Imports {
  return importsOf(root, folder, /\.(h|cc)$/, (path, text) =>
    [...text.matchAll(/^\s*#\s*include\s*"([^"]+)"/gm)].map(([, target]) => {
      const beside = resolve(dirname(path), target);
      return existsSync(beside) ? beside : join(root, 'native', target);
    }),
  );
}

/** One circle for each strongly connected part, as the path that leads back to its beginning. */
export function circlesOf(imports: Imports): string[] {
  const indexes = new Map<string, number>();
  const lows = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[] = [];
  const visit = (file: string): void => {
    indexes.set(file, indexes.size);
    lows.set(file, indexes.get(file) as number);
    stack.push(file);
    for (const target of imports.get(file) ?? []) {
      if (!indexes.has(target)) visit(target);
      if (stack.includes(target)) {
        lows.set(file, Math.min(lows.get(file) as number, lows.get(target) as number));
      }
    }
    if (lows.get(file) !== indexes.get(file)) return;
    const part = new Set(stack.splice(stack.indexOf(file)));
    if (part.size > 1) circles.push(pathBack(imports, file, part));
  };
  for (const file of imports.keys()) if (!indexes.has(file)) visit(file);
  return circles;
}

/** The shortest way from `start` back to it, within `part`. */
function pathBack(imports: Imports, start: string, part: Set<string>): string {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const file of queue) {
    for (const target of imports.get(file) ?? []) {
      if (target === start) {
        const way = [start];
        for (let at: string | undefined = file; at !== undefined; at = cameFrom.get(at)) {
          way.unshift(at);
        }
        return way.join(' -> ');
      }
      if (!part.has(target) || cameFrom.has(target)) continue;
      cameFrom.set(target, file);
      queue.push(target);
    }
  }
  return [...part].join(', ');
}

/** Folder, or file, to what it may import. The longest key that a path begins with is its room. */
export type Allowed = Record<string, readonly string[]>;

/** `from -> to` of each import that leaves its room for one that the table does not name. */
export function forbiddenImports(imports: Imports, allowed: Allowed): string[] {
  const rooms = Object.keys(allowed).sort((a, b) => b.length - a.length);
  const roomOf = (path: string): string | undefined =>
    rooms.find((room) => path === room || path.startsWith(`${room}/`));
  return [...imports].flatMap(([file, targets]) => {
    const from = roomOf(file);
    if (from === undefined) return [`${file} stands in no room`];
    return targets.flatMap((target) => {
      const to = roomOf(target);
      const fine = to === from || (to !== undefined && allowed[from].includes(to));
      return fine ? [] : [`${file} -> ${target}`];
    });
  });
}
