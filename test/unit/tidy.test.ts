// The habits of this code base, as far as a test can hold them.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';

const COLUMNS_MAX = 100;
const LINES_MAX = 500;
// Most files stay well below the limit: few may have more lines than this.
const LINES_USUAL = 400;
const LONG_FILES_SHARE_MAX = 0.1;
const SOURCE_BYTES_MAX = 1024 * 1024;

const root = fileURLToPath(new URL('../../', import.meta.url));

interface TextFile {
  path: string;
  lines: string[];
}

/** The tracked files that are there; a source archive without its git folder has none. */
function trackedPaths(): string[] {
  const options = { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] } as const;
  try {
    const listed = execFileSync('git', ['ls-files', '-z'], options).split('\0');
    return listed.filter((path) => path !== '' && existsSync(join(root, path)));
  } catch {
    return [];
  }
}

const paths = trackedPaths();

beforeEach((context) => {
  context.skip(paths.length === 0, 'not a git checkout: no list of tracked files');
});

function readText(path: string): TextFile[] {
  const bytes = readFileSync(join(root, path));
  const isText = bytes.length <= SOURCE_BYTES_MAX && !bytes.includes(0);
  return isText ? [{ path, lines: bytes.toString().replace(/\n$/, '').split('\n') }] : [];
}

const files = paths.flatMap(readText);

const ending = (...extensions: string[]) =>
  files.filter(({ path }) => extensions.includes(extname(path)));
const under = (folder: string) => (file: TextFile) => file.path.startsWith(`${folder}/`);

const cpp = ending('.cc', '.h', '.c');
const script = ending('.ts', '.mjs', '.js');
const code = [...cpp, ...script];

/** `path:line` of each line that the predicate holds for. */
function linesWhere(among: TextFile[], predicate: (line: string) => boolean): string[] {
  return among.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => (predicate(line) ? [`${path}:${index + 1}`] : [])),
  );
}

// Written in fragments, so that this file does not hold what it forbids.
const word = (...fragments: string[]) => fragments.join('');
const UNFINISHED = new RegExp(
  `\\b(${word('TO', 'DO')}|${word('FIX', 'ME')}|${word('XX', 'X')})\\b`,
);
const FOREIGN = [
  word('/wo', 'rk/'),
  word('iss', 'ue #'),
  word('registry.', 'npmjs'),
  word('registry.', 'yarnpkg'),
  word('deb.', 'debian.org'),
  word('proxy.', 'golang.org'),
  word('files.', 'pythonhosted'),
];

const KNOWN_NAMES = [
  'LICENSE',
  'CMakeLists.txt',
  'run',
  '.gitignore',
  '.gitattributes',
  '.editorconfig',
  '.clang-format',
  '.clang-tidy',
  '.npmrc',
  'Dockerfile',
];
const KNOWN_SUFFIXES = [
  ...[
    '.ts',
    '.mjs',
    '.cjs',
    '.js',
    '.cc',
    '.h',
    '.c',
    '.map',
    '.gyp',
    '.gypi',
    '.cmake',
    '.sh',
    '.lua',
    '.bt',
  ],
  ...['.py', '.go', '.md', '.txt', '.json', '.yml', '.yaml', '.toml', '.html', '.css', '.svg'],
  ...['.png', '.csv', '.pem', '.http', '.bin', '.conf', '.rules', '.dict', '.supp'],
];

describe('every tracked file', () => {
  it('has a name with a known suffix', () => {
    const strange = paths.filter(
      (path) =>
        !KNOWN_NAMES.includes(basename(path)) &&
        !KNOWN_SUFFIXES.includes(extname(path)) &&
        !path.startsWith('test/corpora/'),
    );
    expect(strange).toEqual([]);
  });

  it('speaks of this project alone', () => {
    const speaksOfOthers = (line: string) => {
      const lowered = line.toLowerCase();
      return FOREIGN.some((foreign) => lowered.includes(foreign));
    };
    expect(linesWhere(files, speaksOfOthers)).toEqual([]);
    expect(paths.filter((path) => FOREIGN.some((foreign) => path.includes(foreign)))).toEqual([]);
  });
});

describe('code', () => {
  it(`has at most ${COLUMNS_MAX} columns`, () => {
    const isLong = (line: string) =>
      line.length > COLUMNS_MAX && [...line].length > COLUMNS_MAX && !/https?:\/\//.test(line);
    expect(linesWhere(code, isLong)).toEqual([]);
  });

  it('is indented by spaces and has none at the end of a line', () => {
    expect(linesWhere(code, (line) => line.includes('\t') || /\s$/.test(line))).toEqual([]);
  });

  it('is finished, or says in the docs what is not', () => {
    expect(linesWhere(code, (line) => UNFINISHED.test(line))).toEqual([]);
  });

  it(`is in files of at most ${LINES_MAX} lines, and few have more than ${LINES_USUAL}`, () => {
    const shipped = code.filter((file) => under('native')(file) || under('lib')(file));
    const longerThan = (limit: number) => (file: TextFile) => file.lines.length > limit;
    expect(shipped.filter(longerThan(LINES_MAX)).map(({ path }) => path)).toEqual([]);
    const long = shipped.filter(longerThan(LINES_USUAL)).map(({ path }) => path);
    if (long.length > shipped.length * LONG_FILES_SHARE_MAX) expect(long).toEqual([]);
  });

  it('of the library does not print', () => {
    const prints = (line: string) => /\bconsole\.(log|info|debug)\b/.test(line);
    const isComment = (line: string) => /^\s*(\*|\/\/|\/\*)/.test(line);
    const library = script.filter(under('lib'));
    expect(linesWhere(library, (line) => prints(line) && !isComment(line))).toEqual([]);
  });

  it('of the core does not know Node', () => {
    const core = cpp.filter(under('native/core'));
    const includesNode = (line: string) => /#include\s*[<"](napi|node_api|uv)\.h/.test(line);
    expect(linesWhere(core, includesNode)).toEqual([]);
  });
});

describe('a workflow', () => {
  it('pins what it runs of others by the hash of a commit, with the tag beside it', () => {
    const pinned = /uses: [\w./-]+@[0-9a-f]{40} # v\d/;
    const workflows = ending('.yml').filter(under('.github/workflows'));
    expect(linesWhere(workflows, (line) => /\buses:/.test(line) && !pinned.test(line))).toEqual([]);
  });
});
