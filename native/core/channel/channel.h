// A channel is one descriptor that the loop looks after: a listener, a connection, a datagram
// socket, or a foreign descriptor that is only watched. Channels are named by slot and generation,
// never by descriptor.
//
//   free --open--> connecting --connected--> open --close--> closing --kClosed--> free (gen + 1)
//             \-------------------------------^
#pragma once

#include <cstdint>

#include "core/base/limits.h"
#include "filtered.h"
#include "send_queue.h"
#include "timer_wheel.h"

namespace ringpoll {

class Protocol;

// Slot in the low 32 bits, generation in the next 24. The top 8 bits are the engine's own.
using Token = uint64_t;

constexpr Token makeToken(uint32_t slot, uint32_t generation) {
  return static_cast<uint64_t>(slot) | static_cast<uint64_t>(generation & kGenerationMask) << 32;
}
constexpr uint32_t slotOf(Token token) { return static_cast<uint32_t>(token); }
constexpr uint32_t generationOf(Token token) {
  return static_cast<uint32_t>(token >> 32) & kGenerationMask;
}

// A mailbox is a listener too: another thread accepts for it.
enum class ChannelType : uint8_t { kFree, kListener, kConnection, kWatch, kDatagram, kMailbox };
enum class ChannelState : uint8_t { kFree, kConnecting, kOpen, kClosing };

// How an engine gets the bytes of a connection.
enum class Route : uint8_t { kReadiness, kCompletion };

// What was asked for by name: a route of the ring, the other engine, or any route of the ring.
enum class ReceiveHint : uint8_t { kAuto, kReadiness, kCompletion, kPoll, kRing };

// What the engine keeps about a channel. Readiness engines use the first six, and kWatchesWrite.
enum EngineFlag : uint16_t {
  kWantReceive = 1 << 0,  // receive() asked for, and not paused
  kReadable = 1 << 1,     // the kernel said so, and no read has come up short since
  kHangup = 1 << 2,       // FIN or error may follow the data: read until the end
  kWantSend = 1 << 3,     // send() asked for, waiting for room
  kWritable = 1 << 4,
  kInReadyQueue = 1 << 5,
  kReceiveArmed = 1 << 6,  // the ring holds a multishot receive
  kPollArmed = 1 << 7,     // the ring holds a multishot poll
  kAcceptsLater = 1 << 8,  // a shared listener's part is taken: waits for accept()
  kSendArmed = 1 << 9,     // the ring holds a send, and so our memory
  kConnectArmed = 1 << 10,
  kCancelling = 1 << 11,     // a cancel is under way
  kWatchesWrite = 1 << 12,   // epoll: EPOLLOUT is in the interest set
  kDetaching = 1 << 13,      // detach() asked for: nothing is armed again
  kTellsReadable = 1 << 14,  // the loop reads: see receive in engine.h
  kLevel = 1 << 15,          // epoll: told by levels, not by edges
};

// What the loop keeps about a connection.
enum ConnectionFlag : uint16_t {
  kReadEnded = 1 << 0,    // the peer's FIN was seen
  kWriteEnding = 1 << 1,  // FIN when everything queued has left
  kWriteEnded = 1 << 2,   // our FIN is out
  kPaused = 1 << 3,
  kCorked = 1 << 4,
  kCloseWhenSent = 1 << 5,
  kDrainWanted = 1 << 6,  // a write answered false
  kDirty = 1 << 7,        // in the list of connections to flush
  kResetOnClose = 1 << 8,
  kUnixSocket = 1 << 9,       // of listeners too, for what they accept
  kInherited = 1 << 14,       // of listeners: other processes may accept there too
  kSending = 1 << 10,         // the engine has a send of ours
  kMigrating = 1 << 11,       // between two routes: the engine was told to let go
  kSendDeferred = 1 << 12,    // a send that waits for the end of the migration
  kProtocolPaused = 1 << 13,  // the protocol's own reason not to read
  kProtocolWaits = 1 << 14,   // the protocol goes on when fewer bytes wait
  kShareUsed = 1 << 15,       // pending has kPendingHeld in it until the next turn
};

// How a channel ends, and whether it keeps the process alive: see loop/liveness.h.
enum LifeFlag : uint8_t {
  kUnreferenced = 1 << 0,   // JavaScript's unref(): only what is under way counts
  kHeldByWork = 1 << 1,     // libuv's rule: it counts while it is read, too
  kIdle = 1 << 2,           // does not count now
  kClosedByOwner = 1 << 3,  // both ends are over, and it stays open until JavaScript closes it
  kHandedAway = 1 << 4,     // somebody else has the socket: closing must not end it
  kLeaving = 1 << 5,        // it will go to another thread: no engine has it when it is detached
};

struct Channel {
  int fd = -1;  // -1 again from the moment it is closed
  uint32_t slot = 0;
  uint32_t generation = 0;
  uint32_t endpoint = 0;  // number of the listener or of the connect call
  ChannelType type = ChannelType::kFree;
  ChannelState state = ChannelState::kFree;
  uint8_t engine = 0;  // index into the loop's engines
  Route route = Route::kReadiness;
  uint8_t nextEngine = 0;  // where a migration leads; the same as the two above without one
  Route nextRoute = Route::kReadiness;
  ReceiveHint hint = ReceiveHint::kAuto;
  uint16_t engineFlags = 0;
  uint16_t flags = 0;
  uint8_t lifeFlags = 0;
  uint32_t announced = 0;      // bytes the kernel said are there, less those read since
  uint32_t inKernel = 0;       // operations that the ring holds
  uint32_t operation = 0;      // engine's own: index of a send or connect record, plus one
  uint32_t idleTimeoutMs = 0;  // 0: none
  uint32_t activeMs = 0;       // time of the last byte moved, low 32 bits
  uint32_t drainBelow = 0;     // a drain event is due when fewer bytes than this wait
  uint32_t shareBytes = 0;     // used of this turn's share, see kConnectionShareBytes
  int32_t closeError = 0;      // errno, 0 when closed in order
  uint8_t closeSyscall = 0;
  uint8_t acceptDoublings = 0;  // of a shared listener's part, since nothing was left to accept
  uint8_t emptyWakes = 0;       // edges in a row that brought nothing, see engine/trigger.h
  uint8_t starvations = 0;      // receives of the ring in a row that found no buffer
  SendQueue sends;
  TimerNode timer;
  uint64_t bytesRead = 0;
  uint64_t bytesWritten = 0;
  Protocol* protocol = nullptr;   // what is spoken here; never null in a loop
  void* protocolState = nullptr;  // what it keeps of this connection
  Filtered* filtered = nullptr;   // null: what is spoken goes to the socket as it is

  Token token() const { return makeToken(slot, generation); }
  // What is sent goes into this queue.
  SendQueue& queue() { return filtered == nullptr ? sends : filtered->plain; }
  // Nothing is sent there, and no end of it is told: all that it does is to become readable.
  bool onlyReadable() const {
    return type == ChannelType::kListener || type == ChannelType::kWatch ||
           type == ChannelType::kMailbox;
  }
  // Nothing waits to leave, encoded or not.
  bool allSent() const { return sends.empty() && (filtered == nullptr || filtered->plain.empty()); }
  // JavaScript has been told of it, or is told by the events that wait.
  bool known() const { return filtered == nullptr || filtered->announced; }
};

}  // namespace ringpoll
