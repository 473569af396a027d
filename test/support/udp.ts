// Peers of datagram sockets: node's own, which note what comes.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type BindOptions, bind, type UdpSocket } from 'ringpoll/udp';
import { onTestFinished } from 'vitest';
import { codeOf, within } from './recorder.js';

export interface DatagramPeer {
  socket: Socket;
  port: number;
  messages: Buffer[];
  senders: RemoteInfo[];
  send(data: string | Uint8Array, port: number, address?: string): void;
  received(count: number): Promise<Buffer[]>;
}

export async function datagramPeer(type: 'udp4' | 'udp6' = 'udp4'): Promise<DatagramPeer> {
  const socket = createSocket({ type, recvBufferSize: 4 << 20 });
  const address = type === 'udp4' ? '127.0.0.1' : '::1';
  const messages: Buffer[] = [];
  const senders: RemoteInfo[] = [];
  let heard = () => {};
  socket.on('message', (message, from) => {
    messages.push(message);
    senders.push(from);
    heard();
  });
  socket.bind(0, address);
  await once(socket, 'listening');
  onTestFinished(() => {
    socket.close();
  });
  return {
    socket,
    port: socket.address().port,
    messages,
    senders,
    send: (data, port, to = address) => socket.send(data, port, to),
    received: (count) => {
      const done = new Promise<Buffer[]>((resolve) => {
        heard = () => {
          if (messages.length >= count) resolve(messages);
        };
        heard();
      });
      return within(done, () => `${count} datagrams, but ${messages.length} came`);
    },
  };
}

/** A socket on the loopback interface, which is closed after the test. */
export function bound(options: BindOptions = {}): UdpSocket {
  const socket = bind({ host: '127.0.0.1', receiveBuffer: 4 << 20, ...options });
  onTestFinished(() => socket.close());
  return socket;
}

/** Code of the error that `call` throws; undefined when it does not. */
export function codeThrown(call: () => unknown): string | undefined {
  try {
    call();
  } catch (error) {
    return codeOf(error);
  }
  return undefined;
}

/** Until `done`, a turn of the event loop at a time. */
export function until(done: () => boolean, what: () => string): Promise<void> {
  const turns = new Promise<void>((resolve) => {
    const look = () => {
      if (done()) resolve();
      else setImmediate(look);
    };
    look();
  });
  return within(turns, what);
}
