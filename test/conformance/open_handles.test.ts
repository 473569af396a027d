// Tools that report what a test has left open (such as Jest's --detectOpenHandles) look at
// asynchronous resources that were made and not destroyed.
import { describe, expect, it } from 'vitest';
import { runProgram } from '../support/program.js';

describe('after everything has stopped', () => {
  it.each(['plain', 'stores'])('no resource of the package is alive: %s', async (how) => {
    const { code, stdout, stderr } = await runProgram('open_handles', { args: [how] });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
  });
});
