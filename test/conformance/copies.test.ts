// The package is evaluated more than once in a thread: by a module registry that is reset, by a
// server that reloads, or because two folders hold it.
import { describe, expect, it } from 'vitest';
import { programPath, runProgram, spawnNode } from '../support/program.js';

const whole = 'echo echo aa 20 20 20';
const held = 'open, echo, open data close';
const output = [`${whole} ${whole}`, 'proxied true true', held, held, 'echo', 'true true\n'].join(
  '\n',
);
const threads = ['main', 'worker'];

describe('two copies of the package in one thread', () => {
  it.each(['evaluated', 'folder'].flatMap((kind) => threads.map((where) => [kind, where])))(
    'share one loop, and both work: %s, in the %s thread',
    async (kind, where) => {
      const ended = await runProgram('copies', { args: [kind, where] });
      expect(ended).toEqual({ code: 0, signal: null, stdout: output, stderr: '' });
    },
  );

  it.each(threads)(
    'of different versions: the second is refused, in the %s thread',
    async (where) => {
      const { code, stdout, stderr } = await runProgram('copies', { args: ['version', where] });
      const refusal = 'ERR_RINGPOLL_TWO_VERSIONS 2 true\n';
      expect({ code, stdout, stderr }).toEqual({
        code: 0,
        stdout: `${refusal}${refusal}echo\n`,
        stderr: '',
      });
    },
  );

  it('are kept while something is open, and then no longer', async () => {
    const program = spawnNode(['--expose-gc', programPath('copies_collected')]);
    expect(await program.ending()).toMatchObject({
      stdout: 'while open 0\nwhen closed 50\n',
      stderr: '',
    });
  });
});
