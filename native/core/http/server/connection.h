// What the server keeps of one HTTP connection.
#pragma once

#include <memory>
#include <vector>

#include "body_memory.h"
#include "core/channel/channel.h"
#include "core/http/parser/body_decoder.h"
#include "core/http/parser/proxy.h"
#include "core/http/parser/request_parser.h"
#include "core/http/parser/trailer_parser.h"
#include "core/loop/protocol.h"
#include "core/memory/arena.h"
#include "profile.h"

namespace ringpoll::http {

// What the next received byte is.
enum class State : uint8_t { kProxy, kHead, kBody, kTrailers, kHolding, kRaw, kDiscard };

// What the connection's clock measures.
enum class Phase : uint8_t { kNone, kIdle, kHead, kBody, kLinger };

using Piece = ReceivedBytes;

// What has moved since a window of time began.
struct RateWindow {
  uint64_t startMs = 0;
  uint64_t bytes = 0;  // moved before
  bool open = false;

  void begin(uint64_t nowMs, uint64_t moved) { *this = {nowMs, moved, true}; }
};

struct Connection {
  explicit Connection(Profile& of)
      : profile(&of), parser(of.options, memory), trailers(of.options) {}

  Profile* profile;
  HeadMemory memory;
  HeadParser parser;
  BodyDecoder body;
  TrailerParser trailers;
  State state = State::kHead;
  bool begun = false;           // the parser of the current head has begun
  bool keepAlive = true;        // after the current request
  bool readingHeld = false;     // the socket is not read, because bytes are held
  bool endHeld = false;         // the peer's FIN came behind bytes that are held
  bool awaitsContinue = false;  // the peer sends no body before it is told 100
  bool waitsForRoom = false;    // bytes are held until fewer bytes of answers wait
  bool stalled = false;         // in the list of those that go on with the next turn
  uint32_t outstanding = 0;     // requests that JavaScript has not answered
  uint32_t requests = 0;
  uint32_t told = 0;  // of these, which JavaScript was told of
  BlockId gather = kNoBlock;
  uint32_t gathered = 0;
  uint64_t idleSinceMs = 0;
  uint64_t requestStartMs = 0;
  uint64_t lastByteMs = 0;
  uint64_t lingerStartMs = 0;
  uint64_t pausedSinceMs = 0;
  uint64_t writeStartMs = 0;    // since then no byte has arrived at the peer
  uint64_t bytesDelivered = 0;  // by then
  RateWindow sending;           // open while bytes wait to be sent
  RateWindow receiving;         // open while the peer owes a body
  uint64_t discarded = 0;       // bytes that nobody wanted
  uint64_t armedForMs = 0;
  std::vector<Piece> held;             // bytes that wait to be parsed
  std::unique_ptr<ProxyHeader> proxy;  // what a PROXY header said
  std::unique_ptr<BodyMemory> into;    // where the rest of the body is received; null: nowhere

  bool inHead() const { return begun && parser.started(); }
};

}  // namespace ringpoll::http
