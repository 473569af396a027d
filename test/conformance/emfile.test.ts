import { describe, expect, it } from 'vitest';
import { connectPeer, connectPeers, type Peer } from '../support/peer.js';
import { startProgram } from '../support/program.js';

const DESCRIPTORS_MAX = 80;
const PEERS = 120;

/** Whether the server answers; false when it closes instead. */
async function serves(peer: Peer): Promise<boolean> {
  const before = peer.bytes;
  peer.send('x');
  await Promise.race([peer.received(before + 1), peer.untilOver()]);
  return peer.bytes > before;
}

describe('a server without descriptors left', () => {
  it('keeps serving, reports it, and recovers when connections close', async () => {
    const limit = `ulimit -n ${DESCRIPTORS_MAX} && exec "$@"`;
    const program = startProgram('echo', { launcher: ['sh', '-c', limit, 'sh'] });
    const port = await program.port();
    const peers = await connectPeers({ port }, PEERS);
    const answers = peers.map((peer) => serves(peer));
    for (const answer of answers) answer.catch(() => {});

    // The first peers are in; the last cannot be. Those who are in are still served.
    expect(await answers[0]).toBe(true);
    const served = () => peers.filter(({ bytes }) => bytes > 0);
    const limited = async () => {
      program.child.stdin?.write('metrics\n');
      return JSON.parse(await program.line()).acceptErrors > 0;
    };
    while (!(await limited())) expect(await serves(peers[0]!)).toBe(true);
    program.child.stdin?.write('refusal\n');
    expect(JSON.parse(await program.line())).toEqual({ code: 'EMFILE', syscall: 'accept' });
    for (let trip = 0; trip < 20; trip += 1) expect(await serves(peers[0]!)).toBe(true);
    expect(served().length).toBeGreaterThan(10);
    expect(served().length).toBeLessThan(DESCRIPTORS_MAX);

    // Who has been served makes room: so everyone who still waits is served in the end.
    await Promise.all(answers.map((answer, index) => answer.then(() => peers[index]!.destroy())));
    expect(served()).toHaveLength(PEERS);
    const late = await connectPeer({ port });
    expect(await serves(late)).toBe(true);

    for (const peer of [...peers, late]) peer.destroy();
    program.child.stdin?.write('stop\n');
    const { code, stderr } = await program.ending();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});
