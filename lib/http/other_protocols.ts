// Answers to peers that do not speak HTTP/1, in words that they understand.

const FRAME_SETTINGS = 4;
const FRAME_GOAWAY = 7;
const ERROR_HTTP_1_1_REQUIRED = 13;

/** RFC 9113: our (empty) settings, and the wish for HTTP/1.1. */
const http2 = Uint8Array.from([
  ...[0, 0, 0, FRAME_SETTINGS, 0, 0, 0, 0, 0],
  ...[0, 0, 8, FRAME_GOAWAY, 0, 0, 0, 0, 0],
  ...[0, 0, 0, 0],
  ...[0, 0, 0, ERROR_HTTP_1_1_REQUIRED],
]);

const RECORD_ALERT = 21;
const ALERT_FATAL = 2;
const HANDSHAKE_FAILURE = 40;

/** RFC 8446 section 6, to a peer that begins with TLS where none is spoken. */
const tls = Uint8Array.from([RECORD_ALERT, 3, 1, 0, 2, ALERT_FATAL, HANDSHAKE_FAILURE]);

const nothing = new Uint8Array(0);

/** The bytes to send instead of an HTTP response; undefined: HTTP it is. */
export function otherProtocolAnswer(code: string): Uint8Array | undefined {
  switch (code) {
    case 'ERR_RINGPOLL_HTTP_HTTP2':
      return http2;
    case 'ERR_RINGPOLL_HTTP_TLS':
      return tls;
    case 'ERR_RINGPOLL_HTTP_PROXY_HEADER':
      return nothing; // whoever it is, it is not a client
    default:
      return undefined;
  }
}
