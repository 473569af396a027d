// Whether the packed types serve users of each module resolution, and what two checkers of
// packages say.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { root, step } from './consumer.mjs';

// Uses each entry as a user would; a wrong use must be an error.
const SOURCE = `
import { type Connection, connect, listen, Loop, RingpollError } from 'ringpoll';
import { open } from 'ringpoll/fs';
import { type Handler, HttpRequestError, Response as LightResponse, serve } from 'ringpoll/http';
import { HybridScheduler } from 'ringpoll/scheduler';

const listener = listen({ port: 0, data: (connection: Connection, chunk) => {
  const more: boolean = connection.write(chunk);
  void more;
} });
export const engine: 'hybrid' | 'uring' | 'poll' = Loop.current().engine;
export const failure = new RingpollError('ERR_RINGPOLL_CONNECTION_CLOSED', 'over');
export const conflict = new HttpRequestError(409, 'There is one already');
export const known: boolean = conflict.code === 'ERR_RINGPOLL_HTTP_TARGET_TOO_LONG';
export const scheduler = HybridScheduler;
export const made = connect({ path: '/nowhere' });
const handler: Handler = (request, response) => response.json({ path: request.path });
export const servers = [
  serve({ port: 0, handler }),
  serve({ port: 0, fetch: () => new Response('theirs') }),
  serve({ port: 0, fetch: async (request) => new LightResponse(await request.text()) }),
];
export const file = open('nowhere');
// @ts-expect-error a port is a number
listen({ port: '80' });
// @ts-expect-error one of both
serve({ port: 0, handler, fetch: () => new Response() });
void listener;
`;
const SETTINGS = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
};

// require() of an ES module works on every supported Node, so that types come from ESM is right.
// Before TypeScript knew of "exports" nothing but the main entry could be found.
const ACCEPTED = new Set(['CJSResolvesToESM', 'NoResolution:node10']);

/** Compiles a user's modules against the installed package; throws what the compiler says. */
export async function compileAsUser(app, name) {
  const folder = join(app, `types-${name}`);
  mkdirSync(folder, { recursive: true });
  for (const file of ['esm.mts', 'cjs.cts']) writeFileSync(join(folder, file), SOURCE);
  const compilerOptions = {
    ...SETTINGS[name],
    ...{ target: 'es2022', lib: ['es2023', 'esnext.disposable'], strict: true, noEmit: true },
    ...{ types: ['node'], typeRoots: [join(root, 'node_modules', '@types')], skipLibCheck: false },
  };
  const project = join(folder, 'tsconfig.json');
  writeFileSync(project, JSON.stringify({ compilerOptions, include: ['*.mts', '*.cts'] }));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  await step(`types, ${name}`, process.execPath, [tsc, '-p', project], { cwd: folder });
}

/** Complaints of publint, a line each. */
export async function publintComplaints(tarball) {
  const bytes = readFileSync(tarball);
  const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: data } });
  return messages
    .filter(({ type }) => type !== 'suggestion')
    .map((message) => `${message.type}: ${formatMessage(message, pkg)}`);
}

/** Complaints of @arethetypeswrong, a line each. */
export async function typeComplaints(tarball) {
  const packed = createPackageFromTarballData(new Uint8Array(readFileSync(tarball)));
  const { problems } = await checkPackage(packed);
  return problems
    .filter(
      ({ kind, resolutionKind }) =>
        !ACCEPTED.has(kind) && !ACCEPTED.has(`${kind}:${resolutionKind}`),
    )
    .map((problem) => JSON.stringify(problem));
}
