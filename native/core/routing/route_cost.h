// What an operation has cost, by its size: running averages of CPU time.
#pragma once

#include <cstdint>

#include "router.h"

namespace ringpoll {

inline constexpr uint32_t kSizeClasses = 4;
inline constexpr uint32_t kSizeClassBytesMax[kSizeClasses] = {512, 4096, 16384, UINT32_MAX};

constexpr uint32_t sizeClassOf(uint64_t bytes) {
  uint32_t sizeClass = 0;
  while (sizeClass + 1 < kSizeClasses && bytes > kSizeClassBytesMax[sizeClass]) ++sizeClass;
  return sizeClass;
}

struct RouteCost {
  double ns = 0;         // CPU time of a receive and of what its bytes caused, a running average
  uint32_t samples = 0;  // turns it was measured in

  void add(double measuredNs) {
    constexpr uint32_t kSpan = 16;  // of the average
    ++samples;
    ns += (measuredNs - ns) / (samples < kSpan ? samples : kSpan);
  }
};

struct RouteCosts {
  RouteCost of[kRouteCount][kSizeClasses];
};

}  // namespace ringpoll
