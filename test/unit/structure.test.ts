// Who imports whom, held to what docs/architecture.md says.
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { circlesOf, importsOfCpp, importsOfTypeScript } from '../support/structure.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

// What is still to be cut. Nothing may be added.
const KNOWN_CIRCLES = [
  'lib/fs/routes.ts -> lib/runtime/runtime.ts -> lib/fs/routes.ts',
  'lib/http/request.ts -> lib/http/session.ts -> lib/http/request.ts',
];

describe('imports', () => {
  it('go in no circle, types included, but for those that are still to be cut', () => {
    const circles = circlesOf(importsOfTypeScript(root, 'lib'));
    expect(circles.filter((circle) => !KNOWN_CIRCLES.includes(circle))).toEqual([]);
  });

  it('of C++ go in no circle', () => {
    expect(circlesOf(importsOfCpp(root, 'native'))).toEqual([]);
  });
});

describe('the finder of circles', () => {
  const among = (arrows: Record<string, string[]>) => circlesOf(new Map(Object.entries(arrows)));

  it('prints the way back to the beginning', () => {
    expect(among({ a: ['b'], b: ['c'], c: ['a'], d: ['a'] })).toEqual(['a -> b -> c -> a']);
  });

  it('finds each of several, and none where there is none', () => {
    expect(among({ a: ['b'], b: ['a'], c: ['d'], d: ['c'] })).toHaveLength(2);
    expect(among({ a: ['b', 'c'], b: ['c'], c: [] })).toEqual([]);
  });
});
