// How epoll tells that a connection can be read: by edges, or by levels.
//
//   edge   told once for what has come; a read that comes up short has emptied the socket
//   level  told by every wait while something is there: the kernel looks again, so what was read
//          meanwhile is not told
//   adaptive, for each connection:
//
//            kEmptyWakesMax wake-ups in a row that found nothing
//     edge ------------------------------------------------------> level
//       ^                                                            |
//       +---- more than one read brought, or kBusyEvents a second ---+
//
// A connection that is not read, waits for room, or has hung up is told by edges in any case: by
// levels it would be told for ever.
#pragma once

#include <cstdint>

#include "core/base/clock.h"
#include "core/base/limits.h"

namespace ringpoll {

enum class Trigger : uint8_t { kEdge, kLevel, kAdaptive };

// What the read after a wake-up has found.
enum class Found : uint8_t { kNothing, kLittle, kMore };

class TriggerPolicy {
 public:
  using Clock = uint64_t (*)();

  explicit TriggerPolicy(Clock nowNs = monotonicNs) : nowNs_(nowNs) {}

  void set(Trigger trigger) {
    trigger_ = trigger;
    busy_ = false;
    events_ = 0;
    sinceNs_ = nowNs_();
  }
  Trigger trigger() const { return trigger_; }
  bool adapts() const { return trigger_ == Trigger::kAdaptive; }
  // Edges for all.
  bool busy() const { return busy_ || trigger_ == Trigger::kEdge; }

  // A wait has brought so many ready events.
  void woke(uint32_t events) {
    if (!adapts()) return;
    events_ += events;
    const uint64_t ns = nowNs_() - sinceNs_;
    if (ns < kTriggerWindowNs) return;
    busy_ = events_ * 1'000'000'000 > kBusyEvents * ns;
    events_ = 0;
    sinceNs_ += ns;
  }

  // True: a connection that is told by edges goes down to levels. `empty` counts its wake-ups.
  bool goesDown(Found found, uint8_t* empty) const {
    if (found != Found::kNothing) *empty = 0;
    if (found != Found::kNothing || !adapts() || busy_) return false;
    return ++*empty >= kEmptyWakesMax;
  }

 private:
  const Clock nowNs_;
  Trigger trigger_ = Trigger::kEdge;
  bool busy_ = false;
  uint64_t events_ = 0;
  uint64_t sinceNs_ = 0;
};

}  // namespace ringpoll
