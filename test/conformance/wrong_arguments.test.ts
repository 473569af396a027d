// Whatever is passed to a public function: an error that says what was expected, and never the end
// of the process. Each group runs in a process of its own, so that a signal would be seen.
import { describe, expect, it } from 'vitest';
import { runProgram } from '../support/program.js';

const groups = ['listen', 'connect', 'connection', 'bytes', 'serve', 'response', 'request', 'loop'];

describe('arguments of every wrong type', () => {
  it.each(groups)('are refused with class, code and reason: %s', async (group) => {
    const { code, signal, stdout, stderr } = await runProgram('wrong_arguments', { args: [group] });
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    const lines = stdout.trim().split('\n');
    expect(lines.pop()).toMatch(/^calls [1-9][0-9]*$/);
    expect(lines).toEqual([]);
  });
});
