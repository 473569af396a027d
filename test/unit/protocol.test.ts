import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { native } from '../../lib/runtime/native.js';
import {
  COMMAND_CAPACITY,
  COPY_INSTEAD_OF_PIN_MAX,
  Command,
  Control,
  ERROR_CONNECT_TIMEOUT,
  Event,
  PENDING_HELD,
  PENDING_OVER,
  RECORD_WORDS,
  SYSCALLS,
} from '../../lib/runtime/protocol.js';
import { VERSION } from '../../lib/runtime/version.js';

describe('the version', () => {
  it('is that of package.json', () => {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    expect(VERSION).toBe(JSON.parse(text).version);
  });
});

/** An enum has its names by number too. */
const numbersOf = (kinds: Record<string, number | string>) =>
  Object.values(kinds).filter((value) => typeof value === 'number');

describe('the numbers that JavaScript shares with native code', () => {
  it('are the same on both sides', () => {
    expect(native().protocol()).toMatchObject({
      recordWords: RECORD_WORDS,
      commandCapacity: COMMAND_CAPACITY,
      copyInsteadOfPinMax: COPY_INSTEAD_OF_PIN_MAX,
      stagingUsed: Control.stagingUsed,
      turn: Control.turn,
      resultGeneration: Control.resultGeneration,
      stagingRound: Control.stagingRound,
      resting: Control.resting,
      lastSyscall: SYSCALLS.length - 1,
      connectTimeout: ERROR_CONNECT_TIMEOUT,
      pendingHeld: PENDING_HELD,
      pendingOver: PENDING_OVER,
    });
  });

  it('name each event and command once', () => {
    for (const [kinds, name] of [
      [Event, 'lastEvent'],
      [Command, 'lastCommand'],
    ] as const) {
      const numbers = numbersOf(kinds);
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(native().protocol()[name]).toBe(Math.max(...numbers));
    }
  });
});
