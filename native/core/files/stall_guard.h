// A call that may not wait can wait all the same. A read of the page cache (RWF_NOWAIT) begins to
// read ahead when it finds nothing, and where the disk's queue is full that waits for a place in
// it: 35 ms were seen with 32 cold reads under way. Timers of the loop are late by as much.
//
//   open --a call took kFileStallMs or longer--> closed for kFileStallPauseMs --> open
//
// While the guard is closed nothing is asked of the page cache on the loop's thread, and the ring
// is told to begin on a worker. So one call in each pause can be slow, and no more.
#pragma once

#include <cstdint>
#include <ctime>

#include "core/base/limits.h"

namespace ringpoll {

class StallGuard {
 public:
  StallGuard() {
    timespec step{};
    ::clock_getres(kClock, &step);
    // One tick of a coarse clock may fall into a call that took no time.
    const uint64_t tickMs = toMs(step);
    if (2 * tickMs > stallMs_) stallMs_ = 2 * tickMs;
  }

  // The coarse clock costs some 5 ns, which a read of 300 ns does not feel.
  static uint64_t nowMs() {
    timespec now{};
    ::clock_gettime(kClock, &now);
    return toMs(now);
  }

  // True: the page cache may be asked at `nowMs`.
  bool open(uint64_t nowMs) const { return nowMs >= closedUntilMs_; }

  // A call took from `fromMs` to `toMs`. Returns true when that closed the guard.
  bool took(uint64_t fromMs, uint64_t toMs) {
    if (toMs - fromMs < stallMs_) return false;
    closedUntilMs_ = toMs + kFileStallPauseMs;
    return true;
  }

 private:
#ifdef CLOCK_MONOTONIC_COARSE
  static constexpr clockid_t kClock = CLOCK_MONOTONIC_COARSE;
#else
  static constexpr clockid_t kClock = CLOCK_MONOTONIC;
#endif

  static uint64_t toMs(const timespec& time) {
    return static_cast<uint64_t>(time.tv_sec) * 1000 +
           static_cast<uint64_t>(time.tv_nsec) / 1'000'000;
  }

  uint64_t stallMs_ = kFileStallMs;
  uint64_t closedUntilMs_ = 0;
};

}  // namespace ringpoll
