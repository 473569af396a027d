// What the WebSocket connections of one server or client have in common.
#pragma once

#include <cstdint>

#include "frame.h"

namespace ringpoll::websocket {

enum class HeartbeatMode : uint8_t {
  kFixed = 0,  // a ping every pingMs
  kLazy = 1,   // a ping when nothing has come for pingMs
  kAck = 2,    // as kFixed, and nothing but a pong counts as a sign of life
};

// For a subscriber whose unsent bytes would exceed the limit.
enum class SlowPolicy : uint8_t {
  kClose = 0,
  kDrop = 1,  // it misses the message
  kWait = 2,  // queued all the same, up to kWaitingBytesMax
};

// permessage-deflate as it was negotiated (RFC 7692); `own` is the direction that we compress.
struct DeflateParameters {
  bool on = false;
  bool ownTakeover = false;   // we may refer to earlier messages
  bool peerTakeover = false;  // the peer does
  bool dedicated = false;     // a compressor for each connection, not one for the loop
  uint8_t ownBits = 15;       // log2 of the window
  uint8_t level = 6;
  uint8_t memLevel = 8;
  uint32_t thresholdBytes = 1024;  // shorter messages are sent as they are

  bool operator==(const DeflateParameters&) const = default;
};

struct Settings {
  Role role = Role::kServer;
  bool wildcards = false;
  bool pingEvents = false;
  bool pongEvents = false;
  uint32_t maxPayload = 16 * 1024 * 1024;  // bytes of a message
  // Milliseconds, 0: none.
  uint32_t pingMs = 30'000;
  uint32_t deadMs = 90'000;
  uint32_t idleMs = 0;
  uint32_t closeMs = 30'000;
  HeartbeatMode mode = HeartbeatMode::kLazy;
  SlowPolicy slow = SlowPolicy::kClose;
  uint32_t backpressureBytes = 0;  // 0: none
  DeflateParameters deflate;

  bool operator==(const Settings&) const = default;
};

inline constexpr uint32_t kFramesPerTurnMax = 1024;           // of one connection
inline constexpr uint32_t kInflatedPerTurnMax = 1024 * 1024;  // bytes of one connection; then the
                                                              // next message waits for a turn
inline constexpr uint32_t kCopiedBytesMax = 512;       // of a received message that is sent: copied
inline constexpr uint32_t kPongUnsentMax = 64 * 1024;  // unsent beyond which pings are not answered
                                                       // but for the last one
inline constexpr uint32_t kDiscardedBytesMax = 16 * 1024 * 1024;  // read behind a closing handshake
inline constexpr uint32_t kPingGroupsMin = 64;       // of an interval: when pings are sent
inline constexpr uint32_t kPingsPerTurnUsual = 256;  // with more connections there are more groups
inline constexpr uint32_t kEndingMs = 5'000;         // from then to the peer's FIN, if closeMs is 0
inline constexpr uint64_t kWaitingBytesMax = 64 * 1024 * 1024;  // of a subscriber that may wait

}  // namespace ringpoll::websocket
