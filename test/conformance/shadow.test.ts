// `ringpoll shadow`: a workload on both engines, results and costs compared.
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { programPath, spawnNode } from '../support/program.js';

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const shadow = (args: string[], env: Record<string, string> = {}) =>
  spawnNode([cli, 'shadow', ...args], { env }).ending();

describe('ringpoll shadow', () => {
  it('finds the same results on both engines, and what they cost', async () => {
    const args = [programPath('shadow_echo'), '--rounds', '2', '--json'];
    const { code, stdout, stderr } = await shadow(args);
    expect(stderr).toBe('');
    const { same, differences, sides } = JSON.parse(stdout);
    expect([code, same, differences]).toEqual([0, true, []]);
    expect(sides.map(({ engine }: { engine: string }) => engine)).toEqual(['uring', 'poll']);
    for (const { runs, cpuPerOperation, operations } of sides) {
      expect(runs).toHaveLength(2);
      expect(runs[0].seen.client.bytes).toBe(6000);
      expect(operations).toBeGreaterThan(3);
      expect(cpuPerOperation).toBeGreaterThan(0);
    }
  });

  it('tells what differs, and fails', async () => {
    const args = [programPath('shadow_echo'), '--rounds', '1'];
    const { code, stdout } = await shadow(args, { SHADOW_ODD: 'poll' });
    expect(code).toBe(1);
    expect(stdout).toContain('results DIFFER:');
    expect(stdout).toMatch(/^client, poll: \d+ bytes, sha256 [0-9a-f]{64}$/m);
  });

  it('says so when the workload fails', async () => {
    const { code, stderr } = await shadow([programPath('shadow_echo'), '--rounds', '1'], {
      SHADOW_FAILS: 'poll',
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ringpoll: .*shadow_echo\.mjs ended with code 1 on poll$/m);
  });

  it('needs a script', async () => {
    const { code, stderr } = await shadow([]);
    expect(code).toBe(2);
    expect(stderr).toContain('shadow takes one script');
  });
});
