// The numbers that JavaScript shares with native/core/rings/shared_rings.h. A test compares them.
// They are const enums, so that the compiler writes the numbers where they are used: a property of
// an exported object is loaded and checked each time.

export const RECORD_WORDS = 8;
export const COMMAND_CAPACITY = 4096;

/** Words of the record of a request's head, see native/core/http/parser/record.h. */
export const enum Head {
  length = 0,
  flags = 1,
  /** Of a response its status, and then offset and length of its reason. */
  method = 2,
  methodOffset = 3,
  methodLength = 4,
  targetOffset = 5,
  targetLength = 6,
  queryOffset = 7,
  contentLengthLow = 8,
  contentLengthHigh = 9,
  knownLow = 10,
  knownHigh = 11,
  headerCount = 12,
  hostIndex = 13,
  memory = 14,
  sameHead = 15,
  headers = 16,
}

/** Words of a header in that record: offset and length of its name and of its value. */
export const FIELD_WORDS = 4;

export const enum HeadFlag {
  keepAlive = 1,
  hasBody = 2,
  chunked = 4,
  contentLength = 8,
  expectContinue = 16,
  upgrade = 32,
  version11 = 64,
  /** Of a response. */
  untilClose = 128,
  targetAbsolute = 256,
  targetAuthority = 512,
  targetMask = 768,
}

/** Keeping at most this many bytes copies them; more keeps their block. */
export const COPY_INSTEAD_OF_PIN_MAX = 16 * 1024;

export const enum Event {
  open = 1,
  data = 2,
  end = 3,
  drain = 4,
  timeout = 5,
  close = 6,
  connected = 7,
  acceptError = 8,
  listenerClosed = 9,
  piped = 10,
  finSent = 11,
  readable = 12,
  arrived = 13,
  left = 14,
  request = 16,
  body = 17,
  trailers = 18,
  bodyEnd = 19,
  httpError = 20,
  headBegun = 21,
  bodyFilled = 22,
  file = 32,
  fileFetch = 33,
  udpPackets = 48,
  udpError = 49,
  udpDrain = 50,
  udpClose = 51,
  tlsError = 64,
  tlsServerName = 65,
  tlsSession = 66,
  tlsKeylog = 67,
  tlsHttp2 = 68,
  wsText = 80,
  wsBinary = 81,
  wsPart = 82,
  wsPing = 83,
  wsPong = 84,
  wsClosing = 85,
  wsFrame = 86,
  response = 96,
  responseWhole = 97,
  responseBody = 98,
  responseTrailers = 99,
  responseEnd = 100,
  responseFault = 101,
  informational = 102,
}

export const enum Command {
  send = 1,
  end = 2,
  close = 3,
  reset = 4,
  pause = 5,
  resume = 6,
  timeout = 7,
  cork = 8,
  uncork = 9,
  retain = 10,
  release = 11,
  wantDrain = 12,
  destroy = 13,
  httpRaw = 14,
  httpRespond = 15,
  httpDone = 16,
  route = 48,
  sendFile = 32,
  udpSend = 49,
  udpClose = 50,
  wsSend = 80,
  wsPing = 81,
  wsPong = 82,
  wsClose = 83,
  wsSendBlock = 84,
  clientAsk = 96,
  clientSent = 97,
  clientRaw = 98,
}

/** The first word of wsSend; the opcode stands below. */
export const WS_SEND_COMPRESS = 16;
export const WS_SEND_FRAMED = 32;

/** The first word of clientAsk. */
export const enum Ask {
  head = 1,
  connect = 2,
  upgrade = 4,
  informational = 8,
  sending = 16,
}

/** The first word of httpRespond. */
export const enum Respond {
  last = 1,
  noLength = 2,
}
/** Above them stands the number of the template. */
export const RESPOND_TEMPLATE_SHIFT = 2;

export const enum Control {
  eventCount = 0,
  commandCount = 1,
  stagingBlock = 2,
  stagingSlab = 3,
  stagingOffset = 4,
  stagingSize = 5,
  stagingUsed = 6,
  turn = 7,
  resultError = 8,
  resultSyscall = 9,
  resultEndpoint = 10,
  resultSlot = 11,
  resultGeneration = 12,
  stagingRound = 13,
  resting = 14,
}

/** In the number of bytes that wait: the connection's share of this turn is used up. */
export const PENDING_HELD = 2 ** 50;
/** Instead of that number: the connection is over, and its close event on its way. */
export const PENDING_OVER = Number.POSITIVE_INFINITY;

/** Indexed by native code's Syscall. */
export const SYSCALLS = [
  '',
  'read',
  'write',
  'connect',
  'accept',
  'listen',
  'bind',
  'socket',
  'setsockopt',
  'shutdown',
] as const;

/** Error numbers outside of the kernel's range. The time for a connect was over. */
export const ERROR_CONNECT_TIMEOUT = 0x10000;
/** The event tlsError has said why. */
export const ERROR_TLS = 0x10001;
/** The peer has ended the connection, and not TLS. */
export const ERROR_TLS_TRUNCATED = 0x10002;
