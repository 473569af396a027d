// Learns by which route connections should receive, when nobody asked for one. A pure rule: it is
// given what one period of 50 ms has cost, and says what the next one does. Each size class keeps
// what was learned of it, so that traffic that changes its character is followed at once.
//
//             waited long enough, or never tried
//   settled ------------------------------------> exploring: another route for one period
//     ^  ^----- not kGainPercent cheaper: the next route, or wait twice as long ---+  |
//     |                                                                               |
//     +--- kGainPercent cheaper, kWinsNeeded times in a row: settled on that route ---+
//
// Exploring ends at once when messages change their size, or hardly any come.
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
  double startNs = 0;    // what calibration measured of the receive alone; 0: nothing

  void add(double measuredNs) {
    constexpr uint32_t kSpan = 16;  // of the average
    ++samples;
    ns += (measuredNs - ns) / (samples < kSpan ? samples : kSpan);
  }
  // What is known: of a receive alone, before there was any.
  double known() const { return samples == 0 ? startNs : ns; }
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
  static constexpr uint32_t kExplorePeriods = 200;      // 10 s: exploring takes 1 % of the time
  static constexpr uint32_t kExplorePeriodsMax = 12800;  // after many vain attempts
  static constexpr uint32_t kSamplesNeeded = 4;         // of each route
  static constexpr uint32_t kWinsNeeded = 3;            // in a row: hysteresis
  static constexpr double kGainPercent = 5;
  static constexpr double kDriftPercent = 25;           // changed so much: tried again soon
  static constexpr uint32_t kDriftPeriods = 10;         // after a verdict, before it may be doubted
  static constexpr double kHopelessPercent = 50;        // calibrated dearer by so much: not at once
  static constexpr uint32_t kReceivesNeeded = 32;       // fewer in a period: idle, nothing changes
  static constexpr uint32_t kCompletionClassMax = 0;    // completion is tried up to 512 bytes

  explicit RoutePolicy(bool poll = true) : poll_(poll) {}

  // The route for the next period.
  RouteIndex decide(const RoutePeriod& period, const RouteCosts& costs);
  bool exploring() const { return exploring_; }
  // Whether a verdict is near, so that it pays to measure more often.
  bool attentive() const { return exploring_ || of_[sizeClass_].wait <= kRestPeriods; }
  RouteIndex settled() const { return of_[sizeClass_].settled; }
  uint32_t sizeClass() const { return sizeClass_; }
  const char* reason() const { return of_[sizeClass_].reason; }

 private:
  static constexpr uint32_t kRestPeriods = 1;

  struct Learned {
    RouteIndex settled = kRouteReadiness;
    RouteIndex tried = kRouteReadiness;  // the last one explored
    uint32_t wait = kRestPeriods;        // periods before the next attempt
    uint32_t periods = 0;                // since the last one
    uint32_t interval = kExplorePeriods;
    uint32_t wins = 0;
    uint32_t drifts = 0;
    double verdictNs = 0;                // what the settled route cost at the last verdict
    const char* reason = "readiness is the cheapest nearly everywhere";
  };

  bool candidate(RouteIndex route, const Learned& known, const RouteCosts& costs) const;
  bool nextCandidate(Learned& known, const RouteCosts& costs) const;
  RouteIndex judge(Learned& known, const RouteCosts& costs);
  void rest(Learned& known, uint32_t periods) const;
  void drifted(Learned& known, const RouteCosts& costs) const;
  void vain(Learned& known, const RouteCosts& costs) const;
  void conclude(Learned& known, const RouteCosts& costs) const;

  bool poll_;
  Learned of_[kSizeClasses];
  uint32_t sizeClass_ = 0;
  bool exploring_ = false;
};

}  // namespace ringpoll
