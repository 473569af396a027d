// Requests that node:http answers itself, or tells by other events than 'request'.
import type { HeadView } from '../http/head.js';
import { HEADER_IDS } from '../http/tables.js';
import { Head } from '../runtime/protocol.js';
import type { NativeRequest } from './incoming.js';
import type { NodeServer } from './node_server.js';
import type { NativeResponse } from './outgoing.js';

const EXPECT = HEADER_IDS.get('expect') ?? 0;
const EXPECT_WORD = EXPECT < 32 ? Head.knownLow : Head.knownHigh;
const EXPECT_BIT = 1 << (EXPECT & 31);
const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i;

/** The connection of such a request. */
interface Home {
  readonly server: NodeServer;
  readonly socket: object;
}

/** Of HTTP/1.1, the `number`-th of its connection. True: no 'request' is due. */
export function answersItself(
  home: Home,
  request: NativeRequest,
  response: NativeResponse,
  { _words: words, _at: at }: HeadView,
  number: number,
): boolean {
  const { server } = home;
  if (words[at + Head.hostIndex] === 0 && server.requireHostHeader) {
    response.writeHead(400, ['Connection', 'close']);
    response.end();
    return true;
  }
  const perSocket = server.maxRequestsPerSocket ?? 0;
  if (perSocket > 0) {
    response.maxRequestsOnConnectionReached = perSocket <= number;
    if (perSocket < number) {
      server.emit('dropRequest', request, home.socket);
      response.writeHead(503);
      response.end();
      return true;
    }
  }
  if ((words[at + EXPECT_WORD] & EXPECT_BIT) === 0) return false;
  return expects(server, request, response);
}

function expects(server: NodeServer, request: NativeRequest, response: NativeResponse): boolean {
  if (CONTINUE.test(String(request.headers.expect))) {
    response._expect_continue = true;
    if (server.listenerCount('checkContinue') > 0) {
      server.emit('checkContinue', request, response);
      return true;
    }
    response.writeContinue();
    return false;
  }
  if (server.listenerCount('checkExpectation') > 0) {
    server.emit('checkExpectation', request, response);
  } else {
    response.writeHead(417);
    response.end();
  }
  return true;
}
