// A program that is told to end by signals, with requests under way.
import { describe, expect, it } from 'vitest';
import { client, failure } from '../support/client.js';
import { startProgram } from '../support/program.js';

async function program() {
  const one = startProgram('lifecycle');
  const [port, health] = (await one.line()).split(' ');
  return { one, url: `http://127.0.0.1:${port}`, health: `http://127.0.0.1:${health}` };
}

describe('a program with a lifecycle', () => {
  it('answers what it has taken, and its probes meanwhile, and exits with 0', async () => {
    const { one, url, health } = await program();
    const probe = async (path: string) => {
      const response = await client().request(`${health}${path}`);
      return `${response.status} ${await response.text()}`;
    };
    expect(await probe('/ready')).toBe('200 ready\n');
    const slow = client().request(`${url}/slow`);
    expect(await one.line()).toBe('slow');
    one.child.kill('SIGTERM');
    expect(await one.line()).toBe('accept SIGTERM');
    expect(await probe('/ready')).toBe('503 not ready\n');
    expect(await probe('/live')).toBe('200 live\n');
    const refused = await failure(client().request(`${url}/slow`));
    expect(refused).toBeInstanceOf(Error);
    one.child.stdin!.write('go\n');
    const response = await slow;
    expect(`${response.status} ${await response.text()}`).toBe('200 ready false');
    expect(await one.line()).toBe('release');
    expect(await one.ending()).toMatchObject({ code: 0, signal: null, stderr: '' });
  });

  it('is forced by a second signal', async () => {
    const { one, url } = await program();
    const stuck = failure(client().request(`${url}/stuck`));
    expect(await one.line()).toBe('stuck');
    one.child.kill('SIGINT');
    expect(await one.line()).toBe('accept SIGINT');
    // What comes within 100 ms of the first is the same signal: one of these is not.
    const again = setInterval(() => one.child.kill('SIGINT'), 60);
    const ending = await one.ending();
    clearInterval(again);
    expect(ending).toMatchObject({ code: 130, signal: null });
    expect(ending.stdout).toContain('release');
    expect(await stuck).toBeInstanceOf(Error);
  });
});
