// What is kept of one WebSocket connection. Most are idle most of the time: what only some need,
// and only for a while, is an allocation of its own.
#pragma once

#include <memory>
#include <vector>

#include "core/loop/protocol.h"
#include "deflate.h"
#include "frame_parser.h"
#include "gather.h"
#include "settings.h"
#include "utf8.h"

namespace ringpoll::websocket {

//   kOpen --close of JavaScript's--> kClosing --the peer's close frame--> kLast
//     |                                  +--the peer's FIN--> kEnding
//     +--the peer's close frame, violation, FIN, nothing for too long--> kLast
//   kLast --the turn is over: handlers have sent what they will; close frame, FIN--> kEnding
//   kEnding --the peer's FIN, or closeMs--> closed
enum class Phase : uint8_t { kOpen, kClosing, kLast, kEnding };

struct Held {
  std::vector<ReceivedBytes> pieces;
  bool ended = false;  // the peer's FIN came behind them
};

struct ControlPayload {
  uint8_t length = 0;
  uint8_t bytes[kControlBytesMax];
};

// Of one connection, when its messages may refer to earlier ones.
struct Streams {
  std::unique_ptr<Deflater> deflater;
  std::unique_ptr<Inflater> inflater;
};

struct Subscription {
  uint32_t topic;
  uint32_t place;  // in the topic's list of members
};

struct Connection {
  explicit Connection(const Settings& of) : settings(&of) {}

  const Settings* settings;
  FrameParser parser;
  Utf8Check utf8;
  Phase phase = Phase::kOpen;
  bool closeSent = false;
  bool peerClosed = false;   // its close frame has come
  bool stalled = false;      // in the list of those that go on with the next turn
  bool readingHeld = false;  // the socket is not read, because bytes are held
  uint16_t closeCode = 0;    // of the close frame to send; 0: none
  uint16_t framesInTurn = 0;
  uint32_t turn = 0;  // to which framesInTurn and inflatedInTurn belong
  uint32_t inflatedInTurn = 0;
  uint32_t discarded = 0;
  uint32_t published = 0;  // number of the last publish that it was queued for
  // Low 32 bits of the loop's clock.
  uint32_t aliveMs = 0;    // the last sign of life
  uint32_t messageMs = 0;  // the last message
  uint32_t pingMs = 0;     // our last ping
  uint32_t closeMs = 0;    // when closing began
  std::unique_ptr<Gather> gather;
  std::unique_ptr<Held> held;
  std::unique_ptr<ControlPayload> unanswered;  // the last ping, until there is room
  std::unique_ptr<Streams> streams;
  std::unique_ptr<std::vector<Subscription>> subscriptions;
};

// Nothing can be sent behind a FIN or a close frame.
inline bool maySend(const Channel& channel, const Connection& connection) {
  constexpr uint16_t kNothingMore = kWriteEnding | kWriteEnded | kCloseWhenSent;
  return channel.state == ChannelState::kOpen && !(channel.flags & kNothingMore) &&
         !connection.closeSent;
}

static_assert(sizeof(Connection) <= 176, "an idle connection stays small");

}  // namespace ringpoll::websocket
