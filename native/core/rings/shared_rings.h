// The memory that native code and JavaScript share, and the records in it.
// lib/runtime/protocol.ts holds the same numbers; a test compares the two.
#pragma once

#include <cstdint>
#include <limits>

#include "core/base/limits.h"

namespace ringpoll {

// Kinds of events are given in sixteens, one wing each: 0 streams, 16 HTTP, 32 files,
// 48 datagrams, 64 TLS, 80 WebSocket, 96 HTTP clients.
// Records are kRecordWords 32-bit words. Event: kind, slot, generation, result, offset, length,
// aux0, aux1. Command: kind, slot, generation, then what the kind needs.
enum class EventKind : int32_t {
  kOpen = 1,         // aux1: endpoint
  kData = 2,         // result: slab, offset and length in it, aux0: block, aux1: endpoint
  kEnd = 3,          // result: 1 in the middle of an HTTP request, aux1: endpoint
  kDrain = 4,        // aux1: endpoint
  kTimeout = 5,      // aux1: endpoint
  kClose = 6,        // result: errno or 0, with the Syscall in the top byte; offset and length:
                     // bytes read and written, low words; aux0: their 16 high bits; aux1: endpoint
  kConnected = 7,    // aux1: endpoint
  kAcceptError = 8,  // result: errno, aux1: endpoint
  kListenerClosed = 9,  // aux1: endpoint
  kPiped = 10,          // before kClose of a connection in a pipeline: bytes received from it that
                        // the other one was given: offset, length (high); of these, spliced ones:
                        // aux0, result (high); aux1: endpoint
  kFinSent = 11,        // of a handle: our FIN is out. aux1: endpoint
  kReadable = 12,       // of a handle that reads itself: there may be bytes. aux1: endpoint
  kArrived = 13,   // like kOpen, of a connection that another thread has handed over. result: slab,
                   // offset and length: what that thread tells of it, aux0: block, aux1: endpoint
  kLeft = 14,      // the engine has let go of it, and all that it has received was told. aux1:
                   // endpoint
  kRequest = 16,   // a complete head. result: slab, offset and length of the head in it, aux0:
                   // index of its record in the table of heads, aux1: endpoint
  kBody = 17,      // like kData: bytes of a request's body
  kTrailers = 18,  // result: slab, offset of the section, length: fields, aux0: their index
  kBodyEnd = 19,   // the request is complete
  kHttpError = 20,      // result: HttpError; nothing more is parsed
  kHeadBegun = 21,      // the first byte of a request is here, for who asked to be told
  kBodyFilled = 22,     // result: bytes of a request's body that were received into its memory
  kFile = 32,           // slot: number of the operation, result, offset and aux0: a block, length:
                        // its slab (kNoBlock: none)
  kFileFetch = 33,      // slot: number of the operation; the next bytes of a file that is being
                        // sent are wanted: how many in result, where in offset and length (high)
  kUdpPackets = 48,     // result: slab, offset of the records in it, length: how many, aux0: block;
                        // see native/core/udp/record.h
  kUdpError = 49,       // result: errno, with the Syscall in the top byte; aux0: slab and offset of
                        // a record with the address (kNoBlock: none), length: how many failed so
  kUdpDrain = 50,       // the kernel has taken all that waited
  kUdpClose = 51,       // like kClose
  kTlsError = 64,       // a handshake or a connection has failed. result: slab, offset and length:
                        // its reason, and the peer's address and port, a line each; aux0:
                        // TlsFailure, alert (255: none), 1 if it was the peer's, verify result
  kTlsServerName = 65,  // result: slab, offset and length: the name that a client asks for
  kTlsSession = 66,     // the same: a session that a client may resume
  kTlsKeylog = 67,      // the same: a line of NSS's key log format
  kTlsHttp2 = 68,       // behind kOpen: HTTP/2 was agreed on, and its bytes come as kData
  kWsText = 80,         // like kData: one whole message, valid UTF-8
  kWsBinary = 81,       // the same
  kWsPart = 82,         // like kData: the beginning of a message that lies in several blocks
  kWsPing = 83,         // like kData: a payload; it is answered already
  kWsPong = 84,         // the same
  kWsClosing = 85,      // result: close code, WsClosingCause above; aux0: slab, offset and length:
                        // the reason. No message comes after it
  kWsFrame = 86,        // like kWsBinary, and in front of it lies the header of its frame: as many
                        // bytes as a server's header for it needs are nobody's
  kResponse = 96,       // a final head, whose body follows. result: slab, offset and length of the
                        // head in it, aux0: index of its record in the clients' table of heads
  kResponseWhole = 97,  // the same, and all of the body lies behind the head: length is the body's
  kResponseBody = 98,   // like kData: bytes of a response's body
  kResponseTrailers = 99,  // result: slab, offset of the section, length: fields, aux0: their index
  kResponseEnd = 100,      // the response is complete
  kResponseFault = 101,    // result: ResponseError; the connection is closed
  kInformational = 102,    // like kResponse: a 1xx response
};

// The upper half of the result of kWsClosing.
enum class WsClosingCause : uint16_t {
  kPeer = 0,       // a close frame
  kViolation = 1,  // the peer broke the protocol or a limit; the code is the one that it was sent
  kDead = 2,       // nothing came from it for too long
  kIdle = 3,       // no message came for too long
};

// The lowest byte of aux0 of kTlsError.
enum class TlsFailure : uint8_t {
  kHandshake = 1,         // OpenSSL says why
  kTimeout = 2,           // it took too long
  kEnded = 3,             // the peer has closed the connection in the middle of its handshake
  kTooLong = 4,           // the peer has sent more than a handshake may have
  kPlainHttp = 5,         // the peer speaks HTTP without TLS
  kNotTls = 6,            // the peer speaks something else
  kServerName = 7,        // JavaScript has nothing for the name
  kNetwork = 8,           // the connection was reset in the middle of its handshake
  kRecord = 9,            // after the handshake: OpenSSL says why
  kTooManyMessages = 10,  // after the handshake: key updates, tickets and the like
  kProxyHeader = 11,      // before the handshake: what a proxy sent is no PROXY header
};

enum class CommandKind : int32_t {
  kSend = 1,   // block, offset in the slab, length
  kEnd = 2,    // FIN after what is queued
  kClose = 3,  // close after what is queued
  kReset = 4,  // RST now
  kPause = 5,
  kResume = 6,
  kTimeout = 7,  // milliseconds, 0: none
  kCork = 8,
  kUncork = 9,
  kRetain = 10,       // slot: block
  kRelease = 11,      // slot: block
  kWantDrain = 12,    // bytes
  kDestroy = 13,      // close now, drop what is queued
  kHttpRaw = 14,      // an upgrade was accepted: bytes come as kData
  kHttpRespond = 15,  // a response: HttpRespondFlags and template; where in the staging slab its
                      // further fields and then its body lie; their lengths; Content-Length
  kHttpDone = 16,     // a request was answered
  kRoute = 48,        // ReceiveHint
  kSendFile = 32,     // file; number of the operation, and above it who reads; offset and length:
                      // low words, high halves
  kUdpSend = 49,      // a datagram: block, offset in its slab, length; block of the record of where
                      // it goes (kNoBlock: where the socket is connected to), offset in its slab
  kUdpClose = 50,     // send what the kernel takes, and close
  kWsSend = 80,       // a message: WsSendFlags; where in the staging slab it lies, behind room for
                      // its header; the length of both; of the room
  kWsPing = 81,       // slab offset and length of a staged payload
  kWsPong = 82,       // the same
  kWsClose = 83,      // close code or 0; slab offset and length of a staged reason
  kWsSendBlock = 84,  // received bytes as a binary message: WsSendFlags; where in their slab they
                      // lie; their length with that of the header; of the header; block
  kClientAsk = 96,    // a request: ClientAskFlags; slab offset and length of what is staged of it;
                      // milliseconds until the head, and between two pieces of the body
  kClientSent = 97,   // all of its body was written
  kClientRaw = 98,    // an upgrade or a tunnel: bytes come as kData
};

// JavaScript has counted the bytes of such a command, in its word 5, as pending.
constexpr bool countsPending(CommandKind kind) {
  return kind == CommandKind::kSend || kind == CommandKind::kWsSend ||
         kind == CommandKind::kWsSendBlock;
}

// The opcode stands below them.
enum WsSendFlags : uint32_t {
  kWsSendOpcode = 15,
  kWsSendCompress = 16,  // if it is long enough, and compression was negotiated
  kWsSendFramed = 32,    // of kWsSendBlock: they came as kWsFrame
};

// The first word of kClientAsk.
enum ClientAskFlags : uint32_t {
  kClientAskHead = 1,           // the method is HEAD
  kClientAskConnect = 2,        // it is CONNECT
  kClientAskUpgrade = 4,        // 101 is an answer
  kClientAskInformational = 8,  // 1xx responses are events
  kClientAskSending = 16,       // a body follows, which ends with kClientSent
};

// The first word of kHttpRespond; the number of the template stands above them.
enum HttpRespondFlags : uint32_t {
  kHttpRespondLast = 1,      // the request is answered
  kHttpRespondNoLength = 2,  // without Content-Length
};
inline constexpr uint32_t kHttpRespondTemplateShift = 2;

// Words of the control block.
enum ControlWord : uint32_t {
  kEventCount = 0,
  kCommandCount = 1,
  kStagingBlock = 2,  // where JavaScript writes bytes to send: block, slab, offset in the slab,
  kStagingSlab = 3,   // size, and how much of it is used
  kStagingOffset = 4,
  kStagingSize = 5,
  kStagingUsed = 6,
  kTurn = 7,           // number of the turn: chunks of an earlier one are over
  kResultError = 8,    // of the last call that opens something: errno or 0, Syscall, endpoint,
  kResultSyscall = 9,  // and the slot and generation of a connection
  kResultEndpoint = 10,
  kResultSlot = 11,
  kResultGeneration = 12,
  kStagingRound = 13,  // changes whenever the staging block begins anew
  kResting = 14,       // 1: all that is open are connections of HTTP clients without a request,
                       // which keep no process alive; who asks then says so by httpClientWake()
  kControlWords = 16,
};

// errno values of our own, outside the kernel's range.
inline constexpr int32_t kErrorConnectTimeout = 0x10000;
inline constexpr int32_t kErrorTls = 0x10001;  // a kTlsError event has said why
inline constexpr int32_t kErrorTlsTruncated = 0x10002;

// Bytes that wait to be sent, one number for each slot. Both sides add what they queue, native
// code subtracts what has left. A writer may go on while the number is low, so whatever else must
// stop it is in the same number, and JavaScript sees it at once:
//   + kPendingHeld  the connection's share of this turn is used up; taken away in the next turn
//   = kPendingOver  the connection is over, and its close event on its way; adding and subtracting
//                   leave it as it is
inline constexpr double kPendingHeld = 1125899906842624.0;  // 2 ** 50: no queue is as long
inline constexpr double kPendingOver = std::numeric_limits<double>::infinity();

struct SharedRings {
  int32_t* control = nullptr;   // kControlWords
  int32_t* events = nullptr;    // kEventCapacity records
  int32_t* commands = nullptr;  // kCommandCapacity records
};

}  // namespace ringpoll
