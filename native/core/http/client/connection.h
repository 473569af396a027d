// What the client keeps of one HTTP connection.
#pragma once

#include <deque>
#include <vector>

#include "core/http/parser/body_decoder.h"
#include "core/http/parser/response_parser.h"
#include "core/http/parser/trailer_parser.h"
#include "section.h"

namespace ringpoll::http {

inline constexpr uint32_t kInformationalMax = 32;  // 1xx responses before a final one
inline constexpr uint32_t kAskedMax = 64;          // requests of one connection without a response

// Limits, and times in milliseconds; 0: no limit of time.
struct ClientSettings {
  Options options;
  uint32_t keepAliveMs = 30000;  // without a request
  uint32_t writeMs = 10000;      // without progress while bytes wait to be sent
  uint32_t informationalMax = kInformationalMax;
};

// A request whose response is due.
struct Ask {
  AskedFor asked;
  bool upgrade = false;        // 101 is an answer that it wants
  bool informational = false;  // JavaScript hears of 1xx
  bool sending = false;        // its body is still being written: the response has time
  uint32_t headMs = 0;         // until the final head
  uint32_t bodyMs = 0;         // between two pieces of the body
  uint64_t startMs = 0;
};

// What the next received byte is.
//
//   kHead --final head--> kBody, kTrailers --last byte--> kHead
//     |  \-- no body, or all of it came along: kHead
//     |---- no length: kUntilClose --FIN--> kOver
//     |---- 101, or 2xx to CONNECT: kHolding --kClientRaw--> kRaw
//     +---- fault, or the last response of the connection: kOver
enum class ClientState : uint8_t { kHead, kBody, kTrailers, kUntilClose, kHolding, kRaw, kOver };

struct ClientConnection {
  explicit ClientConnection(const ClientSettings& given)
      : settings(given), parser(settings.options), trailers(settings.options) {}
  // The parsers refer to `settings`.
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  const ClientSettings settings;
  ResponseParser parser;
  BodyDecoder body;
  TrailerParser trailers;
  Section section;
  ClientState state = ClientState::kHead;
  bool resting = false;      // no request is under way, and none has been held back
  bool begun = false;        // the parser of the current head has begun
  bool keepAlive = true;     // after the current response
  bool readingHeld = false;  // the socket is not read, because bytes are held
  bool endHeld = false;      // the peer's FIN came behind bytes that are held
  bool stalled = false;      // in the list of those that go on with the next turn
  uint32_t informational = 0;
  uint64_t untilCloseBytes = 0;
  uint64_t idleSinceMs = 0;
  uint64_t lastByteMs = 0;
  uint64_t writeStartMs = 0;    // since then no byte has arrived at the peer
  uint64_t bytesDelivered = 0;  // by then
  uint64_t armedForMs = 0;
  std::deque<Ask> asks;
  std::vector<ReceivedBytes> held;  // bytes that wait to be parsed

  bool inHead() const { return begun; }
};

}  // namespace ringpoll::http
