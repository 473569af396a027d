// A hashed hierarchical timer wheel: arming, cancelling and expiring cost O(1), and no allocation.
//
// Level 0 has 64 buckets of one tick each, level 1 has 64 buckets of 64 ticks, and so on. A timer
// sits in the level that its distance needs and moves down a level when its bucket comes round.
// A timer never fires early; it fires at most one tick late.
#pragma once

#include <cstdint>

#include "core/base/limits.h"

namespace ringpoll {

struct TimerNode {
  TimerNode* previous = nullptr;  // null when not armed
  TimerNode* next = nullptr;
  uint32_t deadlineTick = 0;
  uint16_t bucket = 0;

  bool armed() const { return previous != nullptr; }
};

class TimerWheel {
 public:
  static constexpr uint32_t kLevels = 5;
  static constexpr uint32_t kBuckets = 64;
  static constexpr uint64_t kDelayMaxMs = (1ull << 30) * kTimerTickMs - kTimerTickMs;

  explicit TimerWheel(uint64_t nowMs);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // (Re)arms `node` to fire `delayMs` from `nowMs`, 1 ms to kDelayMaxMs (about 49 days).
  void arm(TimerNode& node, uint64_t nowMs, uint64_t delayMs);
  void cancel(TimerNode& node);

  // Moves the wheel to `nowMs` and calls fire(node) for each timer that is due. The node is no
  // longer armed when it is called; fire may arm and cancel any timer, also this one.
  template <typename Fire>
  void advance(uint64_t nowMs, Fire&& fire) {
    const uint32_t target = tickOf(nowMs);
    while (armedCount_ > 0 && static_cast<int32_t>(target - current_) > 0) {
      step(target);
      TimerNode& head = due_;
      while (head.next != &head) {
        TimerNode& node = *head.next;
        unlink(node);
        fire(node);
      }
    }
    if (static_cast<int32_t>(target - current_) > 0) current_ = target;
  }

  // Milliseconds from `nowMs` until the wheel must be advanced; -1 when nothing is armed. It may be
  // earlier than the next timer (a bucket of a higher level comes round), never later.
  int64_t untilNextMs(uint64_t nowMs) const;
  uint32_t armedCount() const { return armedCount_; }

 private:
  uint32_t tickOf(uint64_t ms) const {
    return static_cast<uint32_t>((ms - originMs_) / kTimerTickMs);
  }
  void place(TimerNode& node);
  void unlink(TimerNode& node);
  void link(TimerNode& head, TimerNode& node, uint16_t bucket);
  void cascade(uint32_t level, uint32_t index);
  // Moves to the next tick (at most `target`) at which something happens; fills due_.
  void step(uint32_t target);
  uint32_t nextTick() const;

  static constexpr uint16_t kDueBucket = kLevels * kBuckets;

  const uint64_t originMs_;
  uint32_t current_ = 0;  // every timer of this tick and before has fired
  uint32_t armedCount_ = 0;
  uint64_t occupied_[kLevels] = {};  // bit i: bucket i is not empty
  TimerNode buckets_[kLevels][kBuckets];
  TimerNode due_;
};

}  // namespace ringpoll
