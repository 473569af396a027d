// The option `http2` of serve(), and the limits that its connections take over from HTTP/1.1.
import { integer } from '../../checks.js';
import { invalidArgValue } from '../../errors.js';
import { checkOptions, optionNames } from '../../option_names.js';
import type { NativeHttpProfile } from '../../runtime/native.js';

export interface Http2Options {
  /** Requests of one connection at once: more are refused. 1 to 10,000. Default: 100. */
  maxStreams?: number;
}

const KNOWN = optionNames<Http2Options>(
  'http2',
  { maxStreams: true },
  {
    maxConcurrentStreams: 'maxStreams',
    peerMaxConcurrentStreams: 'maxStreams',
    maxHeaderListSize: 'maxHeadBytes, beside http2',
    maxHeaderListPairs: 'maxHeaders, beside http2',
    sessionTimeout: 'keepAliveTimeout, beside http2',
    allowHTTP1: 'HTTP/1.1 is always spoken',
  },
);

/** What is the same for HTTP/1.1 has the same name there. */
export type Http2Limits = Pick<
  NativeHttpProfile,
  | 'headBytesMax'
  | 'targetBytesMax'
  | 'headersMax'
  | 'bodyBytesMax'
  | 'trailersMax'
  | 'unknownMethods'
  | 'lengthRequired'
  | 'keepAliveMs'
  | 'headersMs'
  | 'requestMs'
  | 'readMs'
  | 'writeMs'
  | 'receiveRateMin'
  | 'sendRateMin'
  | 'rateWindowMs'
  | 'lingerMs'
> & { streamsMax: number };

const STREAMS_MAX = 10_000;
const STREAMS = 100;

/**
 * How many streams a connection may have; 0: HTTP/2 is not spoken.
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE,
 *   _UNKNOWN_OPTION
 */
export function checkHttp2(value: unknown, secure: boolean): number {
  if (value === undefined || value === false) return 0;
  if (!secure) {
    // Browsers speak it over TLS alone, and a proxy speaks HTTP/1.1 as well.
    throw invalidArgValue('options.http2', 'given together with tls', value);
  }
  if (value === true) return STREAMS;
  checkOptions(KNOWN, value, 'options.http2');
  const { maxStreams } = value as Http2Options;
  return integer('options.http2.maxStreams', maxStreams, 1, STREAMS_MAX, STREAMS);
}
