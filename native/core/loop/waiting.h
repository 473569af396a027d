// How the loop waits. Blocking costs the least CPU. Where a thread wakes up slowly, as in many
// virtual machines, that costs latency instead: then polling for a moment before blocking pays.
//
//   kBlock     blocks at once
//   kSpin      polls for up to kSpinNsMax, then blocks
//   kAdaptive  polls only while that has paid:
//
//        kSpinProbeEveryMin short waits: try once      an event while polling: credit + 1
//   blocks ----------------------------------> polls <------------------------------------+
//     ^                                          |  |_____________________________________|
//     +---- no credit left: tries half as often -+   none: credit - 2
//
// A wait longer than kSpinShortWaitNs tells that there is little to do, and the count of short ones
// begins again. So a loop that is idle, or has an event every few milliseconds, never polls.
#pragma once

#include <cstdint>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/engine/engine.h"

namespace ringpoll {

enum class WaitStrategy : uint8_t { kBlock, kSpin, kAdaptive };

class Waiting {
 public:
  using Clock = uint64_t (*)();

  explicit Waiting(Metrics& metrics, Clock nowNs = monotonicNs)
      : metrics_(metrics), nowNs_(nowNs) {}

  void setStrategy(WaitStrategy strategy);
  WaitStrategy strategy() const { return strategy_; }
  // Waits for events of `engine`; `timeoutNs` as for Engine::wait().
  void wait(Engine& engine, int64_t timeoutNs);

 private:
  bool spins() const { return strategy_ == WaitStrategy::kSpin || credit_ > 0; }
  void spun(bool paid);
  void blocked(uint64_t ns);

  Metrics& metrics_;
  const Clock nowNs_;
  WaitStrategy strategy_ = WaitStrategy::kBlock;
  uint32_t credit_ = 0;
  uint32_t shortWaits_ = 0;
  uint32_t probeEvery_ = 0;
};

}  // namespace ringpoll
