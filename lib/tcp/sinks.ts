// What takes the bytes of a connection in the place of its data handler: an iteration or a stream.
import { RingpollError } from '../errors.js';
import { extraOf, Flag, type HasExtra, type Sink } from './connection_state.js';

/** What a sink asks of its connection. */
export interface Source extends HasExtra {
  readonly _flags: number;
  readonly readyState: string;
  pause(): void;
  resume(): void;
  close(): void;
}

/** From here on the sink has the bytes, the peer's FIN and the close of the connection. */
export function giveTo(connection: Source, sink: Sink): void {
  const extra = extraOf(connection);
  if (extra.sink !== undefined && !extra.sink.over) {
    const message = 'The connection is read already, by a loop or by a stream';
    throw new RingpollError('ERR_RINGPOLL_CONNECTION_BUSY', message);
  }
  extra.sink = sink;
}

/** The peer's FIN was delivered before there was the sink. */
export function hasEnded({ _flags, _extra }: Source): boolean {
  return (_flags & Flag.readEnded) !== 0 && (_extra === undefined || _extra.held.length === 0);
}
