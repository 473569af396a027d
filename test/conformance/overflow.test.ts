import { describe, expect, it } from 'vitest';
import { connectPeers } from '../support/peer.js';
import { startProgram } from '../support/program.js';

const PEERS = 400;
const ROUNDS = 10;

describe('a completion queue that is far too small', () => {
  it.each(['4', '16'])('of %s entries loses no event and mixes up none', async (entries) => {
    const program = startProgram('echo', { env: { RINGPOLL_CQ_ENTRIES: entries } });
    const port = await program.port();
    const peers = await connectPeers({ port }, PEERS);
    const words = (index: number, rounds: number) => `${index}:`.repeat(rounds);
    for (let round = 1; round <= ROUNDS; round += 1) {
      // All in one tick: the kernel has an event for each before the server looks at any.
      for (const [index, peer] of peers.entries()) peer.send(`${index}:`);
      await Promise.all(peers.map((peer, index) => peer.received(words(index, round).length)));
    }
    for (const [index, peer] of peers.entries()) expect(peer.text).toBe(words(index, ROUNDS));

    program.child.stdin?.write('metrics\n');
    const { ringOverflows } = JSON.parse(await program.line());
    if (process.env.RINGPOLL_TEST_CONFIG === 'uring') expect(ringOverflows).toBeGreaterThan(0);

    for (const [index, peer] of peers.entries()) {
      if (index % 2 === 0) peer.end();
      else peer.reset();
    }
    await Promise.all(peers.map((peer) => peer.untilOver()));
    const connections = async () => {
      program.child.stdin?.write('connections\n');
      return Number(await program.line());
    };
    while ((await connections()) > 0) expect(program.child.exitCode).toBeNull();
    program.child.stdin?.write('stop\n');
    expect(await program.ending()).toMatchObject({ code: 0, stderr: '' });
  });
});
