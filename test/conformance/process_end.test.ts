import { describe, expect, it } from 'vitest';
import { runProgram, startProgram } from '../support/program.js';

const whole = 'end of script\nbeforeExit\n';

describe('the process', () => {
  it.each([
    ['loopOnly', whole],
    ['listenerClosed', whole],
    ['everythingClosed', whole],
    ['connectRefused', `ECONNREFUSED\n${whole}`],
    ['unreferenced', whole],
    ['timerCloses', 'end of script\ntimer\nbeforeExit\n'],
    ['timerUnreferencedCloses', 'end of script\ntimer\nbeforeExit\n'],
    ['referencedAgain', 'end of script\ntimer\nbeforeExit\n'],
    ['pendingTimer', 'end of script\ntimer\nbeforeExit\n'],
  ])('ends by itself when it should: %s', async (name, output) => {
    const { code, signal, stdout, stderr } = await runProgram('ends', { args: [name] });
    expect({ code, signal, stdout, stderr }).toEqual({
      code: 0,
      signal: null,
      stdout: output,
      stderr: '',
    });
  });

  it('does not end while a listener is open, and can be drained by a signal', async () => {
    const program = startProgram('ends', { args: ['signalled'] });
    expect(await program.line()).toBe('ready');
    expect(await program.line()).toBe('end of script');
    program.child.kill('SIGTERM');
    expect(await program.line()).toBe('drained');
    expect(await program.ending()).toMatchObject({ code: 0, signal: null, stderr: '' });
  });
});
