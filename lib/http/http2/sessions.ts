// The HTTP/2 connections of one server. node:http2 reads and writes the frames; the requests go to
// the same handlers as those of HTTP/1.1.
import type {
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2';
import { http2 } from '../../builtins.js';
import type { Connection } from '../../tcp/connection.js';
import type { Remote } from '../request.js';
import type { SessionHost } from '../session_host.js';
import { Exchange } from './exchange.js';
import type { Http2Limits } from './options.js';
import { streamOver } from './socket.js';

const END_STREAM = 1;
/** Pseudo headers, and Host that is made of one. */
const PSEUDO_HEADERS = 5;
const PINGS_MAX = 10;
/** So much may a peer send before somebody reads: of one body, and of all of a connection. */
const STREAM_WINDOW_BYTES = 256 * 1024;
const SESSION_WINDOW_BYTES = 1024 * 1024;
/** Times are looked at so many times within the shortest of them. */
const LOOKS = 4;
const LOOK_MS_MIN = 20;
const LOOK_MS_MAX = 15_000;

interface Open {
  readonly session: ServerHttp2Session;
  readonly exchanges: Set<Exchange>;
  readonly timer: NodeJS.Timeout;
}

export class Http2Sessions {
  readonly #host: SessionHost;
  readonly #limits: Http2Limits;
  readonly #serverLine: string;
  readonly #open = new Map<Connection, Open>();
  #server: Http2Server | undefined;

  constructor(host: SessionHost, limits: Http2Limits, serverLine: string) {
    this.#host = host;
    this.#limits = limits;
    this.#serverLine = serverLine;
  }

  /** The connection speaks HTTP/2 from its first byte on. */
  take(connection: Connection, remote: Remote): void {
    this.#server ??= this.#makeServer();
    const { tls } = connection;
    const duplex = streamOver(connection, this.#limits.lingerMs);
    this.#server.once('session', (session) => this.#begin(session, connection, remote, tls));
    this.#server.emit('connection', duplex);
  }

  #makeServer(): Http2Server {
    const { streamsMax, headBytesMax, headersMax } = this.#limits;
    const server = http2().createServer({
      maxHeaderListPairs: headersMax + PSEUDO_HEADERS,
      maxOutstandingPings: PINGS_MAX,
      settings: {
        maxConcurrentStreams: streamsMax,
        maxHeaderListSize: headBytesMax,
        initialWindowSize: STREAM_WINDOW_BYTES,
        enablePush: false,
      },
    });
    // Strangers cause them all day.
    server.on('sessionError', () => {});
    return server;
  }

  #begin(
    session: ServerHttp2Session,
    connection: Connection,
    remote: Remote,
    tls: Connection['tls'],
  ): void {
    const limits = this.#limits;
    const exchanges = new Set<Exchange>();
    const host = { server: this.#host, limits, serverLine: this.#serverLine, remote, tls };
    let idleMs = Date.now();
    let first = true;
    const look = () => {
      const nowMs = Date.now();
      for (const exchange of exchanges) exchange.look(nowMs);
      const most = first ? limits.headersMs : limits.keepAliveMs;
      if (exchanges.size > 0 || most === 0 || nowMs - idleMs < most) return;
      // What the peer did may have ended the session for nghttp2, which then hears of nothing.
      if (session.closed) session.destroy();
      else session.close();
    };
    const timer = setInterval(look, lookMs(limits)).unref();
    this.#open.set(connection, { session, exchanges, timer });
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    session.on('error', () => {});
    session.on('close', () => {
      clearInterval(timer);
      this.#open.delete(connection);
    });
    const onStream = (
      stream: ServerHttp2Stream,
      _headers: IncomingHttpHeaders,
      flags: number,
      raw: string[],
    ) => {
      first = false;
      const exchange = new Exchange(host, stream, Date.now());
      exchanges.add(exchange);
      stream.on('close', () => {
        exchanges.delete(exchange);
        idleMs = Date.now();
      });
      exchange.begin(raw, (flags & END_STREAM) !== 0);
    };
    session.on('stream', onStream as unknown as (stream: ServerHttp2Stream) => void);
    if (this.#host._stopping) session.close();
  }

  /** Open requests are answered, and no more are taken; gives the connections. */
  goAway(): ReadonlySet<unknown> {
    for (const { session } of this.#open.values()) session.close();
    return new Set(this.#open.keys());
  }
}

function lookMs({ headersMs, keepAliveMs, requestMs, readMs, writeMs, rateWindowMs }: Http2Limits) {
  const times = [headersMs, keepAliveMs, requestMs, readMs, writeMs, rateWindowMs];
  const shortest = Math.min(...times.filter((time) => time > 0), LOOK_MS_MAX * LOOKS);
  return Math.max(LOOK_MS_MIN, shortest / LOOKS);
}
