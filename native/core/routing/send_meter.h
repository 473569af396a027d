// What sends cost: CPU time of the system call that sends at once, or of handing to an engine what
// a socket had no room for, by the size that was offered.
#pragma once

#include "core/base/clock.h"
#include "route_cost.h"

namespace ringpoll {

enum SendWay : uint32_t { kSentNow, kSentByEngine };
inline constexpr uint32_t kSendWays = 2;

class SendMeter {
 public:
  // Two readings of the clock cost about as much as a small send: one in so many pays them.
  static constexpr uint32_t kSendsPerSample = 61;

  explicit SendMeter(LoopClock* clock = nullptr) : clock_(clock) {}

  // 0: not this one.
  uint64_t begin() {
    if (++sends_ % kSendsPerSample != 0) return 0;
    if (readingNs_ == 0) readingNs_ = leastReadingNs();
    return threadCpuNs(clock_);
  }
  void end(SendWay way, uint64_t startNs, uint64_t bytes) {
    if (startNs == 0) return;
    const uint64_t ns = threadCpuNs(clock_) - startNs;
    const double own = ns > readingNs_ ? static_cast<double>(ns - readingNs_) : 0;
    costs[way][sizeClassOf(bytes)].add(own);
  }

  RouteCost costs[kSendWays][kSizeClasses];

 private:
  // What reading the clock adds to a measurement.
  uint64_t leastReadingNs() {
    constexpr int kReadings = 5;
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < kReadings; ++i) {
      const uint64_t first = threadCpuNs(clock_);
      const uint64_t ns = threadCpuNs(clock_) - first;
      if (ns < least) least = ns;
    }
    return least;
  }

  LoopClock* clock_;
  uint32_t sends_ = 0;
  uint64_t readingNs_ = 0;
};

}  // namespace ringpoll
