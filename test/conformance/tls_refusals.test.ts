// Handshakes that do not come about: what both sides are told, and that nobody else waits for them.
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { connect as nodeConnect, type TLSSocket } from 'node:tls';
import { connect, Loop, secureContext, type TlsError } from 'ringpoll';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { connectPeer, type Peer } from '../support/peer.js';
import { codeOf, Recorders, within } from '../support/recorder.js';
import { dial, portOf } from '../support/serve.js';
import {
  cert,
  clientHello,
  dialNode,
  key,
  NAME,
  serveNode,
  serveTls,
} from '../support/tls/both.js';
import { roundTrips } from '../support/turns.js';

/** The errors of a listener, and a promise of the next one. */
function refusals() {
  const errors: TlsError[] = [];
  const waiting: (() => void)[] = [];
  return {
    errors,
    tlsError(error: Error) {
      errors.push(error as TlsError);
      for (const resolve of waiting.splice(0)) resolve();
    },
    async first(): Promise<TlsError> {
      if (errors.length === 0) {
        const came = new Promise<void>((resolve) => waiting.push(resolve));
        await within(came, () => 'the error of a handshake');
      }
      return errors[0]!;
    },
  };
}

const ended = (peer: Peer) =>
  within(
    new Promise<void>((resolve) => {
      if (peer.ended || peer.closed) resolve();
      peer.socket.once('end', resolve).once('close', () => resolve());
    }),
    () => 'the end of the peer',
  );

describe('a listener', () => {
  it('tells of a peer that speaks HTTP without TLS, and of what else it may be', async () => {
    for (const bytes of ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', '\0\0\0']) {
      const told = refusals();
      const recorders = new Recorders();
      const listener = serveTls({ ...recorders.recording, tlsError: told.tlsError });
      const peer = await connectPeer({ port: portOf(listener) });
      peer.send(bytes);
      const error = await told.first();
      expect(codeOf(error)).toBe('ERR_RINGPOLL_TLS_NOT_TLS');
      expect(error.remotePort).toBe(peer.socket.localPort);
      await ended(peer);
      expect(recorders.all).toHaveLength(0);
      expect(listener.connections).toBe(0);
    }
  });

  it('tells of a peer that resets its handshake whose it was', async () => {
    const told = refusals();
    const listener = serveTls({ tlsError: told.tlsError });
    const peer = await connectPeer({ port: portOf(listener) });
    const { localPort } = peer.socket;
    peer.send((await clientHello()).subarray(0, 100));
    await roundTrips();
    peer.reset();
    const error = await told.first();
    expect(codeOf(error)).toBe('ERR_RINGPOLL_TLS_HANDSHAKE');
    expect([error.remoteAddress, error.remotePort]).toEqual(['127.0.0.1', localPort]);
  });

  it('ends a handshake that takes too long', async () => {
    const told = refusals();
    const tls = { key, cert, handshakeTimeout: 60 };
    const listener = serveTls({ tls, tlsError: told.tlsError });
    const peer = await connectPeer({ port: portOf(listener) });
    peer.send((await clientHello()).subarray(0, 40).toString('latin1'));
    expect(codeOf(await told.first())).toBe('ERR_RINGPOLL_TLS_HANDSHAKE_TIMEOUT');
    await ended(peer);
  });

  it('tells the alert of a client that does not trust it', async () => {
    const told = refusals();
    const listener = serveTls({ tlsError: told.tlsError });
    const refused = connect({ port: portOf(listener), host: '127.0.0.1', tls: true });
    await expect(refused).rejects.toThrow('certificate is refused');
    const error = await told.first();
    expect(codeOf(error)).toBe('ERR_RINGPOLL_TLS_HANDSHAKE');
    expect([error.alert, error.alertFrom]).toEqual(['unknown_ca', 'peer']);
    expect(error.remoteAddress).toBe('127.0.0.1');
  });

  it('asks clients for certificates, and refuses who has none', async () => {
    const told = refusals();
    const recorders = new Recorders();
    const tls = { key, cert, requestCert: true, ca: cert };
    const listener = serveTls({ tls, ...recorders.recording, tlsError: told.tlsError });
    await dialNode(portOf(listener), { key, cert });
    const { connection } = await recorders.at(0);
    expect(connection.tls?.authorized).toBe(true);
    expect(connection.tls?.peerCertificate()?.subject).toBe(`CN=${NAME}`);
    const port = portOf(listener);
    const without = nodeConnect({ port, host: '127.0.0.1', ca: cert, servername: NAME });
    without.on('error', () => {});
    const error = await told.first();
    expect(error.alertFrom).toBe('self');
    expect(error.alert).toMatch(/certificate_required|handshake_failure/);
  });

  it('waits for SNICallback, and refuses when it does', async () => {
    const told = refusals();
    const recorders = new Recorders();
    const other = secureContext({ key, cert });
    const asked: string[] = [];
    const listener = serveTls({
      tls: {
        ...{ key, cert },
        SNICallback(name, answer) {
          asked.push(name);
          if (name === 'refused.example') setImmediate(answer, new Error('not here'));
          else setImmediate(answer, null, other);
        },
      },
      ...recorders.recording,
      tlsError: told.tlsError,
    });
    await dialNode(portOf(listener), { servername: NAME });
    const { connection } = await recorders.at(0);
    expect(connection.tls?.servername).toBe(NAME);
    const refused = nodeConnect({
      ...{ port: portOf(listener), host: '127.0.0.1', ca: cert },
      servername: 'refused.example',
    });
    refused.on('error', () => {});
    const error = await told.first();
    expect(error.alert).toBe('unrecognized_name');
    expect(asked).toEqual([NAME, 'refused.example']);
  });

  it('serves others while a thousand handshakes stand still, and drops them at last', {
    timeout: 60_000,
  }, async () => {
    const recorders = new Recorders({ data: (one, chunk) => one.write(chunk) });
    const listener = serveTls(recorders.recording);
    const port = portOf(listener);
    const hello = await clientHello();
    const silent = Array.from({ length: 1000 }, (_, i) => {
      const socket = createConnection({ port, host: '127.0.0.1' });
      onTestFinished(() => {
        socket.destroy();
      });
      socket.on('error', () => {}).resume();
      // Some say nothing, some stop within their hello, and some behind it.
      socket.write(hello.subarray(0, [0, 50, hello.length][i % 3]));
      return socket;
    });
    const peer = await dialNode(port);
    peer.send('served');
    expect(await peer.received(6)).toBe('served');
    expect(listener.connections).toBe(1);
    const closed = silent.map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    );
    listener.destroy();
    await within(Promise.all(closed), () => 'the end of a thousand');
    await vi.waitFor(() => expect(Loop.current().metrics().tlsConnections).toBe(0), 8000);
  });
});

describe('connect()', () => {
  const refusal = (options: object) =>
    connect({ host: '127.0.0.1', ...options } as never).then(
      () => undefined,
      (error: TlsError) => error,
    );

  it('refuses certificates that are not trusted, and names that are not in them', async () => {
    const port = portOf(serveTls());
    const unknown = await refusal({ port, tls: true });
    expect(codeOf(unknown)).toBe('ERR_RINGPOLL_TLS_VERIFY');
    expect(unknown?.reason).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    const name = await refusal({ port, tls: { ca: cert, servername: 'other.example' } });
    expect([codeOf(name), name?.reason]).toEqual(['ERR_RINGPOLL_TLS_VERIFY', 'HOSTNAME_MISMATCH']);
    const own = await refusal({
      port,
      tls: { ca: cert, checkServerIdentity: () => new Error('not this one') },
    });
    expect(codeOf(own)).toBe('ERR_RINGPOLL_TLS_VERIFY');
  });

  it('takes any certificate when told so, and says what is wrong with it', async () => {
    const port = portOf(serveTls());
    const options = { rejectUnauthorized: false, servername: NAME };
    const { tls } = await dial({ port, tls: options });
    expect(tls?.authorized).toBe(false);
    expect(tls?.authorizationError).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  it('fails on a server that speaks something else, or nothing', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write('220 hello\r\n');
    });
    onTestFinished(() => {
      server.close();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    expect(codeOf(await refusal({ port, tls: true }))).toBe('ERR_RINGPOLL_TLS_NOT_TLS');
    server.removeAllListeners('connection').on('connection', (socket) => socket.resume());
    const late = await refusal({ port, tls: { handshakeTimeout: 50 } });
    expect(codeOf(late)).toBe('ERR_RINGPOLL_TLS_HANDSHAKE_TIMEOUT');
  });

  it('resumes sessions of a context with the same server', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const context = secureContext({ ca: cert, maxVersion: version });
      const port = await serveNode({ maxVersion: version }, (socket: TLSSocket) => {
        socket.on('error', () => {});
        socket.on('data', (bytes) => socket.end(bytes));
      });
      const reused: (boolean | undefined)[] = [];
      for (let i = 0; i < 3; i += 1) {
        const recorders = new Recorders();
        const tls = { secureContext: context, servername: NAME };
        const one = await dial({ port, tls, ...recorders.recording });
        reused.push(one.tls?.reused);
        one.write('x');
        await (await recorders.at(0)).until('close');
      }
      expect(reused).toEqual([false, true, true]);
    }
  });
});
