// Faults that a test asks for: what networks and kernels do rarely, at chosen rates.
//
//   completion --judge--> as it is
//                |-> reset      the connection fails, and its peer gets RST
//                |-> delay      it waits, and all that comes behind it
//                +-> short read a piece of it now, the rest in the next turn
//
// Every connection has two random generators, for what it receives and for what it sends. They are
// made of the seed and of its number, so other connections change nothing for it.
#pragma once

#include <deque>
#include <unordered_map>
#include <vector>

#include "core/base/seeded_random.h"
#include "endpoint_table.h"
#include "loop_state.h"

namespace ringpoll {

enum class FaultSide : uint8_t { kAll, kAccepted, kOutgoing };

// Shares of the operations, 0 to 1.
struct FaultPlan {
  double shortReads = 0;
  double shortWrites = 0;
  double resets = 0;
  double enobufs = 0;
  double delays = 0;
  double refusals = 0;
  uint32_t delayMinMs = 1;
  uint32_t delayMaxMs = 10;
  uint64_t seed = 0;
  FaultSide side = FaultSide::kAll;
};

struct FaultCounts {
  uint64_t shortReads = 0;
  uint64_t shortWrites = 0;
  uint64_t resets = 0;
  uint64_t enobufs = 0;
  uint64_t delays = 0;
  uint64_t refusals = 0;
};

class Faults {
 public:
  Faults(LoopState& state, ChannelEnds& ends, const EndpointTable& endpoints)
      : state_(state), ends_(ends), endpoints_(endpoints) {}
  ~Faults();
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  void begin(const FaultPlan& plan);
  // No fault from now on. What waits is delivered in the next turns.
  void end();
  const FaultCounts& counts() const { return counts_; }

  // True: it is dealt with, now or later. False: it goes on as usual. Of a short read, `completion`
  // keeps the piece that goes on.
  bool takes(Channel& channel, Completion& completion);
  // A connect that has succeeded fails.
  bool refuses(const Channel& channel);
  ssize_t send(Channel& channel, const iovec* vectors, uint32_t count);
  // The last send was cut off, and the socket has room: no event will tell of it.
  bool cutOff() const { return cutOff_; }

  // What is due goes on, by deliver(channel, completion).
  template <typename Deliver>
  void deliverDue(Deliver&& deliver) {
    const size_t count = holding_.size();
    for (size_t i = 0; i < count && delivered_.size() < kFaultDeliveriesMax; ++i) {
      const Token token = holding_[i];
      Channel* channel = state_.channels.find(token);
      if (channel == nullptr) continue;
      Completion completion{};
      while (nextDue(*channel, &completion)) deliver(*channel, completion);
    }
    forgetEmpty();
  }
  // Milliseconds until something is due, or -1.
  int64_t untilDueMs(uint64_t nowMs) const;
  // Bytes that wait, in order: visit(data, bytes).
  template <typename Visit>
  void forEachHeld(const Channel& channel, Visit&& visit) const {
    const auto found = connections_.find(channel.token());
    if (found == connections_.end()) return;
    for (const Held& each : found->second.held) {
      if (each.completion.block == kNoBlock) continue;
      visit(state_.arena.data(each.completion.block) + each.completion.offset,
            static_cast<uint32_t>(each.completion.result));
    }
  }
  void forget(const Channel& channel);
  void endTurn();

 private:
  struct Held {
    Completion completion;
    bool delayed;  // it has waited already
  };
  struct Connection {
    Connection(uint64_t readSeed, uint64_t writeSeed) : reads(readSeed), writes(writeSeed) {}

    SeededRandom reads;
    SeededRandom writes;
    std::deque<Held> held;
    uint64_t heldBytes = 0;
    uint64_t dueMs = 0;  // of the first one
    uint64_t turn = 0;   // of the loop, in which a piece was cut off: the rest is for the next
  };
  struct Verdict {
    bool reset;
    uint32_t delayMs;
    uint32_t bytes;
  };

  Connection* connectionOf(const Channel& channel);
  Connection makeConnection();
  Verdict judge(Connection& connection, uint32_t bytes, bool mayWait);
  bool hold(Channel& channel, Connection& connection, const Completion& completion);
  bool nextDue(Channel& channel, Completion* completion);
  bool waits(const Channel& channel, const Connection& connection, uint64_t nowMs) const;
  void drop(Connection& connection);
  void forgetEmpty();
  static void willReset(Channel& channel);
  void reset(Channel& channel, Connection& connection);

  LoopState& state_;
  ChannelEnds& ends_;
  const EndpointTable& endpoints_;
  FaultPlan plan_;
  FaultCounts counts_;
  bool runs_ = false;
  bool cutOff_ = false;
  uint64_t numbered_ = 0;  // connections, since begin()
  uint64_t turn_ = 1;
  std::unordered_map<Token, Connection> connections_;
  std::vector<Token> holding_;
  std::vector<BlockId> delivered_;  // JavaScript sees them in this turn
};

}  // namespace ringpoll
