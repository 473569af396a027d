// The last turns of a thread in a file: after a crash, while it is written, and what stands in its
// way.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FlightRecorder, flightRecorder } from 'ringpoll/admin';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Flight, flightBytes, readFlight } from '../../lib/admin/flight_file.js';
import { exchange, requestText, serveHttp } from '../support/http.js';
import { connectPeer } from '../support/peer.js';
import { startProgram } from '../support/program.js';
import { codeOf } from '../support/recorder.js';
import { temporaryFolder } from '../support/temporary.js';
import { roundTrips } from '../support/turns.js';

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const TEST_MS_MAX = 30_000;

const file = () => join(temporaryFolder(), 'server.flight');
const read = (path: string) => readFlight(readFileSync(path));

function record(path: string, turns?: number): FlightRecorder {
  const recorder = flightRecorder(turns === undefined ? { path } : { path, turns });
  onTestFinished(() => recorder.stop());
  return recorder;
}

/** What holds for every recording, whenever it was read. */
function check(flight: Flight): void {
  const { turns, written, room, damaged } = flight;
  expect(turns.length + damaged).toBe(Math.min(written, room));
  let last = 0;
  let end = 0;
  for (const { turn, at, ms, receiving, javascript, sending } of turns) {
    expect(turn).toBeGreaterThan(last);
    // To a microsecond: that is what a number has of the time since 1970.
    expect(at).toBeGreaterThanOrEqual(end - 0.002);
    expect(receiving + javascript + sending).toBeCloseTo(ms, 5);
    last = turn;
    end = at + ms;
  }
}

async function crashed(): Promise<string> {
  const path = file();
  const program = startProgram('flight', { args: [path] });
  const port = Number(await program.line());
  const peer = await connectPeer({ port });
  peer.send(requestText('GET', '/'));
  await peer.receivedUntil('hello');
  peer.send(requestText('GET', '/stuck'));
  expect(await program.line()).toBe('stuck');
  // As readers see it while the process lives, and is stuck.
  const stuck = read(path);
  check(stuck);
  expect(stuck).toMatchObject({ phase: 'javascript', pid: program.child.pid });
  program.child.kill('SIGKILL');
  expect(await program.ended).toMatchObject({ signal: 'SIGKILL' });
  return path;
}

describe('a flight recorder', { timeout: TEST_MS_MAX }, () => {
  it('says after a crash what the thread was at, and what came before', async () => {
    const path = await crashed();
    const flight = read(path);
    check(flight);
    expect(flight).toMatchObject({ phase: 'javascript', room: 64, damaged: 0 });
    expect(flight.turns.reduce((sum, { events }) => sum + events, 0)).toBeGreaterThan(0);
    const { at, ms } = flight.turns.at(-1)!;
    expect(flight.phaseSince).toBeGreaterThanOrEqual(at + ms - 0.002);
    const text = execFileSync(process.execPath, [command, 'dump', path, '--last', '1'], {
      encoding: 'utf8',
    });
    expect(text).toContain('the thread is, or was, in JavaScript, in handlers of events');
    expect(text).toMatch(/^the last turns, in ms:$/m);
    const json = execFileSync(process.execPath, [command, 'dump', path, '--json', '--last', '1'], {
      encoding: 'utf8',
    });
    expect(JSON.parse(json)).toEqual({ ...flight, turns: flight.turns.slice(-1) });
  });

  it('keeps the last turns, however many there were', async () => {
    const path = file();
    const recorder = record(path, 5);
    const server = serveHttp({ handler: () => 'hello' });
    for (let i = 0; i < 20; i++) await exchange(server, requestText('GET', '/'));
    recorder.stop();
    const flight = read(path);
    check(flight);
    expect(flight.written).toBeGreaterThan(20);
    expect(flight.turns.map(({ turn }) => flight.written - turn)).toEqual([4, 3, 2, 1, 0]);
    const { written } = flight;
    await roundTrips();
    expect(read(path).written, 'nothing is written after stop()').toBe(written);
  });

  it('can be read while it is written', async () => {
    const path = file();
    const program = startProgram('flight', { args: [path] });
    const port = Number(await program.line());
    const peer = await connectPeer({ port });
    const many = requestText('GET', '/').repeat(100);
    let seen = 0;
    for (let i = 0; i < 100; i++) {
      peer.send(many);
      await roundTrips(1);
      const flight = read(path);
      check(flight);
      // The oldest rows are those that are overwritten while we read.
      expect(flight.damaged).toBeLessThan(flight.room);
      expect(flight.written).toBeGreaterThanOrEqual(seen);
      seen = flight.written;
    }
    await peer.receivedUntil('hello');
    expect(seen).toBeGreaterThan(0);
  });

  it('puts the recording of a process before aside, and touches no other file', async () => {
    const path = file();
    record(path, 3).stop();
    const { began } = read(path);
    record(path, 4).stop();
    expect(read(path).room).toBe(4);
    expect(read(`${path}.previous`)).toMatchObject({ room: 3, began });
    const other = file();
    writeFileSync(other, 'somebody needs this');
    expect(() => flightRecorder({ path: other })).toThrow(
      expect.objectContaining({ code: 'EEXIST' }),
    );
    expect(readFileSync(other, 'utf8')).toBe('somebody needs this');
  });

  it('has a file of its size, for its owner alone, before it returns', () => {
    const path = file();
    record(path);
    const { size, blocks, mode } = statSync(path);
    expect(size).toBe(flightBytes(65_536));
    expect(mode & 0o777).toBe(0o600);
    // Not one with holes: memory that stands for a hole fails when the disk is full.
    expect(blocks * 512).toBeGreaterThanOrEqual(size);
  });

  it('is one at a time, and begins again after stop()', () => {
    const [path, other] = [file(), file()];
    const recorder = record(path, 8);
    expect(() => flightRecorder({ path: other })).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_RECORDER_RUNNING' }),
    );
    expect(existsSync(other)).toBe(false);
    recorder.stop();
    recorder.stop();
    record(other, 8).stop();
  });

  it.each<[object, string]>([
    [{}, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ path: '' }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ path: 'a', turns: 0 }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    [{ path: 'a', turns: 2 ** 20 + 1 }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    [{ path: 'a', rows: 1 }, 'ERR_RINGPOLL_UNKNOWN_OPTION'],
    [{ path: '/nowhere/at/all' }, 'ENOENT'],
  ])('refuses %o', (options, code) => {
    let thrown: unknown;
    try {
      flightRecorder(options as never).stop();
    } catch (error) {
      thrown = error;
    }
    expect(codeOf(thrown)).toBe(code);
  });
});
