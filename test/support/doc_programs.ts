// Runs a block of the docs as the program that it is. A block whose first line is a comment with a
// file's name stands in that file, beside the other files of its page, which it may import.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Block, codeOf } from './doc_pages.js';
import { first } from './tls/credentials.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const FOLDER = join(root, 'build', 'docs');
const VITEST = join(root, 'node_modules', 'vitest', 'vitest.mjs');
// A server runs until it is ended: after so long without a complaint it is taken to work.
const SERVER_MS = 1500;
const PROGRAM_MS_MAX = 20_000;

export interface Outcome {
  code: number | null;
  signal: string | null;
  text: string;
}

export const blockName = ({ page, line }: Block) => `${page}:${line}`;
const fileName = ({ text }: Block) => /^\/\/ ([\w-]+(?:\.[\w-]+)*\.m?[jt]s)\n/.exec(text)?.[1];
/** The system chooses the ports. */
const programOf = ({ text }: Block) => text.replace(/\bport: \d+/g, 'port: 0');
const slug = (name: string) => name.replace(/\W+/g, '-');

/** Vite knows no package that imports itself by name. */
function linkPackage(): void {
  const link = join(FOLDER, 'node_modules', 'ringpoll');
  if (existsSync(link)) return;
  mkdirSync(join(FOLDER, 'node_modules'), { recursive: true });
  symlinkSync(root, link);
}

/** What programs of TLS read: they have a certificate where certbot's would be linked. */
const CREDENTIALS = { 'fullchain.pem': first.cert, 'privkey.pem': first.key };

/** Writes the files of the block's page, and this block's; returns the path of the latter. */
function writeFiles(block: Block): string {
  const folder = join(FOLDER, slug(blockName(block)));
  mkdirSync(folder, { recursive: true });
  linkPackage();
  for (const [name, text] of Object.entries(CREDENTIALS)) writeFileSync(join(folder, name), text);
  for (const each of codeOf(root, block.page)) {
    const name = fileName(each);
    if (name !== undefined) writeFileSync(join(folder, name), programOf(each));
  }
  const file = join(folder, fileName(block) ?? 'program.mjs');
  writeFileSync(file, programOf(block));
  return file;
}

const testsWithVitest = (program: string) => /from 'vitest'/.test(program);

function runsOn(program: string): boolean {
  if (/from '(vitest|node:test)'/.test(program)) return false;
  return /\b(listen|serve|start)\(/.test(program) && !/\.(stop|close)\(\);?\s*$/.test(program);
}

export function runBlock(block: Block): Promise<Outcome> {
  const program = programOf(block);
  const serves = runsOn(program);
  const file = writeFiles(block);
  const folder = join(file, '..');
  const args = testsWithVitest(program) ? [VITEST, 'run', '--root', folder, file] : [file];
  const env: NodeJS.ProcessEnv = { ...process.env, PORT: '0' };
  // Vitest would take itself for a worker of the vitest that runs this.
  for (const name of Object.keys(env)) if (/^VITEST|^NODE_TEST/.test(name)) delete env[name];
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio });
  const output: Buffer[] = [];
  child.stdout.on('data', (bytes) => output.push(bytes));
  child.stderr.on('data', (bytes) => output.push(bytes));
  const timer = setTimeout(() => child.kill('SIGKILL'), serves ? SERVER_MS : PROGRAM_MS_MAX);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const ended = serves && signal === 'SIGKILL' ? null : signal;
      resolve({ code: code ?? 0, signal: ended, text: Buffer.concat(output).toString() });
    });
  });
}
