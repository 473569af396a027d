// Learns by which route of the ring connections should receive, when nobody asked for one. A pure
// rule: it is given what one period of a tenth of a second has cost, and says what the next one
// does.
//
//                 every kExplorePeriods, small messages only
//   readiness ------------------------------------------------> exploring (one period)
//     ^  ^------------------ not kGainPercent cheaper: wait twice as long --+  |
//     |                                                                        | kWinsNeeded times
//     +--- large messages (at once), or readiness is kGainPercent cheaper --- completion
#pragma once

#include <cstdint>

#include "router.h"

namespace ringpoll {

inline constexpr uint32_t kSizeClasses = 4;
inline constexpr uint32_t kSizeClassBytesMax[kSizeClasses] = {512, 4096, 16384, UINT32_MAX};

constexpr uint32_t sizeClassOf(uint64_t bytes) {
  uint32_t sizeClass = 0;
  while (bytes > kSizeClassBytesMax[sizeClass]) ++sizeClass;
  return sizeClass;
}

struct RouteCost {
  double ns = 0;         // CPU time of a receive and of what its bytes caused, a running average
  uint32_t samples = 0;  // turns it was measured in

  void add(double measuredNs) {
    constexpr double kWeight = 1.0 / 16;
    ns = samples == 0 ? measuredNs : ns + (measuredNs - ns) * kWeight;
    ++samples;
  }
};

struct RouteCosts {
  RouteCost of[kRouteCount][kSizeClasses];
};

// What happened in one period.
struct RoutePeriod {
  uint64_t receives = 0;
  uint64_t bytes = 0;
};

class RoutePolicy {
 public:
  static constexpr uint32_t kExplorePeriods = 100;       // 10 s: exploring takes 1 % of the time
  static constexpr uint32_t kExplorePeriodsMax = 6400;   // after many vain attempts
  static constexpr uint32_t kSamplesNeeded = 4;          // of each route
  static constexpr uint32_t kWinsNeeded = 3;             // in a row: hysteresis
  static constexpr double kGainPercent = 5;
  static constexpr uint64_t kReceivesNeeded = 64;        // fewer in a period: idle, nothing changes
  static constexpr uint32_t kExploredClassMax = 0;       // completion is tried up to 512 bytes

  // The route for the next period.
  Route decide(const RoutePeriod& period, const RouteCosts& costs);
  bool exploring() const { return exploring_; }
  Route settled() const { return settled_; }
  const char* reason() const { return reason_; }

 private:
  Route settle(Route route, const char* reason);
  Route judge(const RouteCosts& costs, uint32_t sizeClass);

  Route settled_ = Route::kReadiness;
  bool exploring_ = false;
  uint32_t wait_ = kExplorePeriods;
  uint32_t periods_ = 0;
  uint32_t wins_ = 0;
  const char* reason_ = "readiness is the cheapest nearly everywhere";
};

}  // namespace ringpoll
