// What keeps a writer that never waits for anything else from holding the loop. JavaScript may make
// its writes leave before its turn is over: when much is pending, or a ring or a block is full. A
// peer that reads as fast would let it go on for ever, and promises alone would drive it. So each
// connection has a share of a turn, and all together have one. What has used it up counts as full
// until the next turn, whatever the kernel takes; and drain events, which let writers go on, are
// written in the loop's turn only, and so many at most.
#pragma once

#include <vector>

#include "loop_state.h"
#include "pending.h"

namespace ringpoll {

class TurnShares {
 public:
  TurnShares(LoopState& state, Pending& pending) : state_(state), pending_(pending) {}

  // While it lives, what leaves does so before JavaScript's turn is over.
  class Early {
   public:
    explicit Early(TurnShares& shares) : shares_(shares), before_(shares.early_) {
      shares_.early_ = true;
    }
    ~Early() { shares_.early_ = before_; }
    Early(const Early&) = delete;
    Early& operator=(const Early&) = delete;

   private:
    TurnShares& shares_;
    const bool before_;
  };

  bool early() const { return early_; }
  // Bytes that wait on the connection, whatever its share.
  double waitingBytes(const Channel& channel) const {
    return pending_[channel.slot] - (channel.flags & kShareUsed ? kPendingHeld : 0);
  }
  // So many bytes have left early.
  void use(Channel& channel, uint64_t bytes);
  // The connection gets no more of this turn.
  void end(Channel& channel);
  // A new turn begins.
  void renew();
  // A writer who waits for room hears of it in this turn, or when those before it have.
  void wakeWriter(Channel& channel);
  void pushDrains();
  bool hasDrains() const { return !drained_.empty(); }

 private:
  LoopState& state_;
  Pending& pending_;
  std::vector<Token> sharers_;  // which have used some of their share of this turn
  std::vector<Token> drained_;  // whose drain event is due
  uint64_t usedBytes_ = 0;      // by all of them together
  bool early_ = false;
};

}  // namespace ringpoll
