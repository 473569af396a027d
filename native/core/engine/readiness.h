// From "this descriptor is ready" to completions: the part that every readiness engine shares.
//
// Notifications are taken as edges. A channel stays readable until a read comes up short, so no
// edge is lost by a pause or a budget, and no read is spent on finding EAGAIN:
//
//            edge                    budget used up: goes on next turn
//   quiet ---------> ready queue --------------------------+
//     ^                  |  ^------------------------------+
//     +---- short read, EAGAIN, paused
//
// With no memory to read into a channel stays in the queue too, but that alone is no reason to go
// on at once: the loop waits a little, or until a block is free.
#pragma once

#include <vector>

#include "engine.h"

namespace ringpoll {

// An engine that chooses how it is told of a connection.
class WakeUps {
 public:
  virtual ~WakeUps() = default;
  virtual void found(Channel& channel, Found what) = 0;
};

class Readiness {
 public:
  // kHup: there may be something behind what one read brings: FIN, an error, urgent data.
  // kGone: the connection is over, which must be told although nobody reads.
  enum Ready : uint8_t { kIn = 1, kOut = 2, kHup = 4, kGone = 8 };

  // `wakeUps`: told what each read has found; null: nobody.
  explicit Readiness(EngineContext context, WakeUps* wakeUps = nullptr)
      : context_(context), wakeUps_(wakeUps) {}

  // An edge from the kernel. `ready` is a set of Ready. `announced`: bytes that it says are there,
  // if it says so. A read that brings fewer has been stopped by something, as by urgent data.
  void mark(Channel& channel, uint8_t ready, uint32_t announced = 0);
  void accept(Channel& listener);
  // The kernel says that the connection is over.
  void tellGone(Channel& channel);
  // The channel wants to read or write again: if the kernel said earlier that it can, queue it.
  void resume(Channel& channel);
  // Everything noted about the channel: another engine, or another route, finds it out anew.
  void forget(Channel& channel);
  // Works through the queue once, within the budgets. True: some of it is left for which there
  // is memory.
  bool service();

 private:
  bool actionable(const Channel& channel) const;
  void serve(Channel& channel);
  bool starves(Channel& channel);
  void acceptAll(Channel& channel);
  void finishConnect(Channel& channel);
  void tellReady(Channel& channel);
  void sendMore(Channel& channel);
  void receiveSome(Channel& channel);

  void found(Channel& channel, Found what) {
    if (wakeUps_ != nullptr) wakeUps_->found(channel, what);
  }

  EngineContext context_;
  WakeUps* const wakeUps_;
  std::vector<Token> queue_;
  std::vector<Token> serving_;
  size_t position_ = 0;
  std::vector<Token> starving_;  // wait for memory to read into
};

}  // namespace ringpoll
