// What a receive costs by each route, and a read of a file each way, measured once in a process
// before there is any traffic: the starting point of the averages that routing goes by.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/engine.h"
#include "files.h"
#include "route_policy.h"

namespace ringpoll {

inline constexpr uint64_t kCalibrationNsMax = 10'000'000;  // all of it, by the clock

// CPU nanoseconds; 0: not measured.
struct Calibration {
  double receiveNs[kRouteCount][kSizeClasses] = {};  // with the peer's write of the same bytes
  double fileNowNs = 0;                              // 4 KB from the page cache
  double fileRingNs = 0;
  uint64_t tookNs = 0;  // wall clock
  uint32_t rounds = 0;
};

// A loop that has no channels yet.
struct CalibrationGround {
  EngineContext context;
  std::vector<std::unique_ptr<Engine>>& engines;
  const RouterInput& routing;
  Files& files;
};

// Ends when every route had its rounds, or when the time is up.
Calibration measureRoutes(const CalibrationGround& ground, uint64_t nsMax);

// The same for all loops of the process: the first one measures, those that start meanwhile wait.
// `measured` tells whether this one did.
Calibration calibratedOnce(const std::function<Calibration()>& measure, bool* measured);

}  // namespace ringpoll
