// The codes of HTTP's errors are the same in native code, in the types and in the docs, and users
// can make errors of their own.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HttpRequestError } from 'ringpoll/http';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(root + path, 'utf8');
const PREFIX = 'ERR_RINGPOLL_HTTP_';
const COMPILE_MS_MAX = 60_000;

const native = [...read('native/core/http/parser/errors.cc').matchAll(/CODE\("(\w+)"\)/g)];
const codes = native.map(([, name]) => PREFIX + name).sort();

function documented(): string[] {
  const [, section] = /^## Errors$(.*?)^## /ms.exec(read('docs/http-parser.md')) ?? [];
  return [...(section ?? '').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => PREFIX + name).sort();
}

/** What the compiler says to a user's module, a line each. */
function complaints(source: string): string[] {
  const file = `${root}test/unit/users_module.ts`;
  const options: ts.CompilerOptions = {
    ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
    ...{ target: ts.ScriptTarget.ES2022, lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'] },
    ...{ strict: true, noEmit: true, skipLibCheck: true, types: ['node'] },
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, ...rest) =>
    name === file
      ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022)
      : getSourceFile.call(host, name, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

describe('codes of HTTP', () => {
  it('are documented', () => {
    expect(codes.length).toBeGreaterThan(40);
    expect(documented()).toEqual(codes);
  });

  it('are in the type of error.code', { timeout: COMPILE_MS_MAX }, () => {
    const source = (names: string[]) => `
      import type { RingpollErrorCode } from 'ringpoll';
      import { HttpRequestError } from 'ringpoll/http';
      export const codes: RingpollErrorCode[] = ${JSON.stringify(names)};
      export const errors = [new HttpRequestError(409, 'x'), new HttpRequestError(409, 'x', {})];
      export const known: boolean = errors[0]!.code === '${codes[0]}';
    `;
    expect(complaints(source(codes))).toEqual([]);
    expect(complaints(source([`${PREFIX}NONE`]))).toHaveLength(1);
  });
});

describe('new HttpRequestError(status, message)', () => {
  it('has a code of its own, and a cause', () => {
    const cause = new Error('x');
    const error = new HttpRequestError(409, 'There is one already', { cause });
    expect(error).toMatchObject({ status: 409, message: 'There is one already', cause });
    expect([error.code, error.name]).toEqual(['ERR_RINGPOLL_HTTP_REQUEST', 'HttpRequestError']);
    const ours = new HttpRequestError('ERR_RINGPOLL_HTTP_NOT_FOUND', 404, 'None');
    expect(ours).toMatchObject({ status: 404, code: 'ERR_RINGPOLL_HTTP_NOT_FOUND' });
  });

  it.each([
    [200, 'x', 'ERR_RINGPOLL_OUT_OF_RANGE'],
    [400.5, 'x', 'ERR_RINGPOLL_OUT_OF_RANGE'],
    [undefined, 'x', 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [400, undefined, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
  ])('refuses %s, %s', (status, message, code) => {
    const make = () => new HttpRequestError(status as never, message as never);
    expect(make).toThrow(expect.objectContaining({ code }));
  });
});
