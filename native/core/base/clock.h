// The two clocks that routing is decided by. A test gives the loop its own.
#pragma once

#include <cstdint>
#include <ctime>

namespace ringpoll {

class LoopClock {
 public:
  virtual ~LoopClock() = default;
  virtual uint64_t nowMs() = 0;
  virtual uint64_t threadCpuNs() = 0;
};

inline uint64_t monotonicNs() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

// Of `clock`, or of this thread when there is none.
inline uint64_t threadCpuNs(LoopClock* clock) {
  if (clock != nullptr) return clock->threadCpuNs();
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace ringpoll
