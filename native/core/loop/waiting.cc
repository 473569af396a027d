#include "waiting.h"

#include <algorithm>

#include "core/base/limits.h"

namespace ringpoll {

void Waiting::setStrategy(WaitStrategy strategy) {
  strategy_ = strategy;
  credit_ = shortWaits_ = 0;
  probeEvery_ = kSpinProbeEveryMin;
}

void Waiting::wait(Engine& engine, int64_t timeoutNs) {
  if (strategy_ == WaitStrategy::kBlock || timeoutNs == 0) {
    engine.wait(timeoutNs);
    return;
  }
  const uint64_t startNs = nowNs_();
  uint64_t elapsedNs = 0;
  if (spins()) {
    const uint64_t limitNs = timeoutNs < 0
                                 ? kSpinNsMax
                                 : std::min<uint64_t>(kSpinNsMax, static_cast<uint64_t>(timeoutNs));
    ++metrics_.waitSpins;
    do {
      engine.wait(0);
      if (engine.hasEvents()) {
        ++metrics_.waitSpinsPaid;
        spun(true);
        return;
      }
      elapsedNs = nowNs_() - startNs;
    } while (elapsedNs < limitNs);
    spun(false);
    if (timeoutNs > 0) timeoutNs -= static_cast<int64_t>(std::min<uint64_t>(elapsedNs, timeoutNs));
    if (timeoutNs == 0) return;
  }
  engine.wait(timeoutNs);
  if (strategy_ == WaitStrategy::kAdaptive && credit_ == 0) blocked(nowNs_() - startNs);
}

void Waiting::spun(bool paid) {
  if (strategy_ != WaitStrategy::kAdaptive) return;
  if (paid) {
    credit_ = std::min(credit_ + 1, kSpinCreditMax);
    if (credit_ == kSpinCreditMax) probeEvery_ = kSpinProbeEveryMin;
    return;
  }
  credit_ -= std::min(credit_, kSpinMissCost);
  if (credit_ == 0) probeEvery_ = std::min(probeEvery_ * 2, kSpinProbeEveryMax);
}

void Waiting::blocked(uint64_t ns) {
  shortWaits_ = ns <= kSpinShortWaitNs ? shortWaits_ + 1 : 0;
  if (shortWaits_ < probeEvery_) return;
  shortWaits_ = 0;
  credit_ = 1;
}

}  // namespace ringpoll
