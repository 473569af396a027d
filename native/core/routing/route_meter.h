// What routes cost: CPU time of sampled turns, for the route and the size class of their receives.
// A turn whose receives went by several routes tells nothing of either, and is left out.
#pragma once

#include "core/base/clock.h"
#include "route_cost.h"

namespace ringpoll {

struct RouteStats {
  uint64_t receives = 0;
  uint64_t bytes = 0;
  uint64_t chosen = 0;      // connections that began here
  uint64_t migrations = 0;  // connections that came here later
};

class RouteMeter {
 public:
  // Reading a thread's CPU time is a system call: one turn in so many pays two of them. A prime,
  // so that no rhythm of the traffic hides behind it.
  static constexpr uint32_t kTurnsPerSample = 61;

  explicit RouteMeter(LoopClock* clock = nullptr) : clock_(clock) {}

  void beginTurn() {
    sampling_ = ++turn_ % kTurnsPerSample == 0;
    if (!sampling_) return;
    for (uint32_t i = 0; i < kRouteCount; ++i) before_[i] = stats[i];
    startNs_ = threadCpuNs(clock_);
  }

  void received(RouteIndex route, uint32_t bytes) {
    ++stats[route].receives;
    stats[route].bytes += bytes;
  }

  void endTurn() {
    if (!sampling_) return;
    sampling_ = false;
    uint32_t used = kRouteCount;
    for (uint32_t i = 0; i < kRouteCount; ++i) {
      if (stats[i].receives == before_[i].receives) continue;
      if (used != kRouteCount) return;
      used = i;
    }
    if (used == kRouteCount) return;
    const uint64_t receives = stats[used].receives - before_[used].receives;
    const uint64_t bytes = stats[used].bytes - before_[used].bytes;
    costs.of[used][sizeClassOf(bytes / receives)].add(
        static_cast<double>(threadCpuNs(clock_) - startNs_) / static_cast<double>(receives));
  }

  RouteStats stats[kRouteCount];
  RouteCosts costs;
  uint64_t refusals[kHintCount + 1] = {};  // the last one counts what was no refusal

 private:
  LoopClock* clock_;
  uint32_t turn_ = 0;
  bool sampling_ = false;
  uint64_t startNs_ = 0;
  RouteStats before_[kRouteCount];
};

}  // namespace ringpoll
