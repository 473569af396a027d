// What a socket has done so far.
export interface UdpStats {
  /** Datagrams received. */
  received: number;
  /** Of these, longer than `maxPacketBytes`. */
  truncated: number;
  /** Datagrams that came and found no room in the socket's buffer, as far as the system tells. */
  missed: number;
  /** Datagrams that the kernel has taken. */
  sent: number;
  /** Datagrams that send() has dropped, because too much was waiting or the socket was over. */
  dropped: number;
  /** Datagrams that the kernel has refused; an error event told of each. */
  refused: number;
  bytesReceived: number;
  bytesSent: number;
}
