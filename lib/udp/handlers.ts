// What a program gives a datagram socket.
import type { Packet } from './packet.js';

export interface UdpHandlersOf<Socket> {
  /**
   * Datagrams have come: at least one, at most 32 a call, in the order in which they came. They are
   * valid until this returns. Without this handler the socket is paused until it is iterated.
   */
  data?(socket: Socket, packets: readonly Packet[]): unknown;
  /** What send() could not take before would be taken now. */
  drain?(socket: Socket): unknown;
  /**
   * A datagram could not be sent, or a network has reported that it did not arrive: `error.address`
   * and `error.port` say where it was going, where that is known. The socket goes on. What a
   * handler throws comes here too. Without this handler reports are only counted, and throws are
   * uncaught exceptions.
   */
  error?(socket: Socket, error: Error): unknown;
  /** The socket is over. */
  close?(socket: Socket, error?: Error): unknown;
}
