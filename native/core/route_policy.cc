#include "route_policy.h"

namespace ringpoll {

Route RoutePolicy::settle(Route route, const char* reason) {
  settled_ = route;
  exploring_ = false;
  wins_ = 0;
  periods_ = 0;
  reason_ = reason;
  return settled_;
}

Route RoutePolicy::decide(const RoutePeriod& period, const RouteCosts& costs) {
  if (period.receives < kReceivesNeeded) {
    // Too little to learn from, and too little to cost anything.
    exploring_ = false;
    return settled_;
  }
  const uint32_t sizeClass = sizeClassOf(period.bytes / period.receives);
  if (sizeClass > kExploredClassMax) {
    if (settled_ == Route::kReadiness && !exploring_) return settled_;
    return settle(Route::kReadiness, "the messages are large");
  }
  if (exploring_) return judge(costs, sizeClass);
  ++periods_;
  if (settled_ == Route::kCompletion) {
    const RouteCost& ours = costs.of[kRouteCompletion][sizeClass];
    const RouteCost& other = costs.of[kRouteReadiness][sizeClass];
    if (other.ns >= ours.ns * (1 - kGainPercent / 100)) {
      wins_ = 0;
    } else if (++wins_ >= kWinsNeeded) {
      return settle(Route::kReadiness, "readiness measured cheaper");
    }
    return settled_;
  }
  if (periods_ < wait_) return settled_;
  periods_ = 0;
  exploring_ = true;
  return Route::kCompletion;
}

// After a period of exploring.
Route RoutePolicy::judge(const RouteCosts& costs, uint32_t sizeClass) {
  exploring_ = false;
  const RouteCost& known = costs.of[kRouteReadiness][sizeClass];
  const RouteCost& tried = costs.of[kRouteCompletion][sizeClass];
  if (known.samples < kSamplesNeeded || tried.samples < kSamplesNeeded) return settled_;
  if (tried.ns > known.ns * (1 - kGainPercent / 100)) {
    wins_ = 0;
    if (wait_ < kExplorePeriodsMax) wait_ *= 2;
    reason_ = "completion was tried and is not cheaper";
    return settled_;
  }
  if (++wins_ < kWinsNeeded) {
    periods_ = wait_ - 1;  // again after one period of rest
    return settled_;
  }
  wait_ = kExplorePeriods;
  return settle(Route::kCompletion, "completion measured cheaper");
}

}  // namespace ringpoll
