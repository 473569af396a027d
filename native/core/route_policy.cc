#include "route_policy.h"

namespace ringpoll {

namespace {

constexpr double kCheaper = 1 - RoutePolicy::kGainPercent / 100;

const char* const kMeasuredCheaper[kRouteCount] = {
    "readiness measured cheaper", "completion measured cheaper", "poll measured cheaper"};

}  // namespace

RouteIndex RoutePolicy::decide(const RoutePeriod& period, const RouteCosts& costs) {
  if (period.receives < kReceivesNeeded) {
    // Too little to learn from, and too little to cost anything.
    exploring_ = false;
    return settled();
  }
  const uint32_t sizeClass = sizeClassOf(period.bytes / period.receives);
  if (sizeClass != sizeClass_) {
    exploring_ = false;
    sizeClass_ = sizeClass;
    return settled();
  }
  Learned& known = of_[sizeClass];
  if (exploring_) return judge(known, costs);
  ++known.periods;
  drifted(known, costs);
  if (known.periods < known.wait) return known.settled;
  if (costs.of[known.settled][sizeClass].samples < kSamplesNeeded) return known.settled;
  if (known.wins == 0 && !nextCandidate(known, costs)) {
    vain(known, costs);
    return known.settled;
  }
  exploring_ = true;
  return known.tried;
}

// Completion's buffers rotate through memory that is not in the cache, which is several times
// dearer for large messages. What calibration found far too dear is left for later.
bool RoutePolicy::candidate(RouteIndex route, const Learned& known,
                            const RouteCosts& costs) const {
  if (route == known.settled) return false;
  if (route == kRoutePoll && !poll_) return false;
  if (route == kRouteCompletion && sizeClass_ > kCompletionClassMax) return false;
  const RouteCost& ours = costs.of[known.settled][sizeClass_];
  const RouteCost& other = costs.of[route][sizeClass_];
  if (known.verdictNs > 0 || other.samples > 0 || ours.startNs == 0) return true;
  return other.startNs - ours.startNs <= ours.known() * kHopelessPercent / 100;
}

// The next route after the last one that was tried; false: each had its turn.
bool RoutePolicy::nextCandidate(Learned& known, const RouteCosts& costs) const {
  uint32_t route = known.tried == known.settled ? 0 : known.tried + 1;
  for (; route < kRouteCount; ++route) {
    if (!candidate(static_cast<RouteIndex>(route), known, costs)) continue;
    known.tried = static_cast<RouteIndex>(route);
    return true;
  }
  return false;
}

void RoutePolicy::rest(Learned& known, uint32_t periods) const {
  known.periods = 0;
  known.wait = periods;
}

// After a period of exploring.
RouteIndex RoutePolicy::judge(Learned& known, const RouteCosts& costs) {
  exploring_ = false;
  const RouteCost& ours = costs.of[known.settled][sizeClass_];
  const RouteCost& other = costs.of[known.tried][sizeClass_];
  rest(known, kRestPeriods);
  if (other.samples < kSamplesNeeded || other.ns > ours.ns * kCheaper) {
    known.wins = 0;
    return known.settled;
  }
  if (++known.wins < kWinsNeeded) return known.settled;
  known.settled = known.tried;
  known.interval = kExplorePeriods;
  known.reason = kMeasuredCheaper[known.settled];
  conclude(known, costs);
  return known.settled;
}

// Each route had its turn, and none was cheaper.
void RoutePolicy::vain(Learned& known, const RouteCosts& costs) const {
  if (known.verdictNs > 0 && known.interval < kExplorePeriodsMax) known.interval *= 2;
  if (known.settled == kRouteReadiness && known.tried != known.settled) {
    known.reason = "other routes were tried and are not cheaper";
  }
  conclude(known, costs);
}

void RoutePolicy::conclude(Learned& known, const RouteCosts& costs) const {
  known.tried = known.settled;
  known.wins = 0;
  known.drifts = 0;
  known.verdictNs = costs.of[known.settled][sizeClass_].ns;
  rest(known, known.interval);
}

// The same size of messages at quite another price: what was learned may hold no longer.
void RoutePolicy::drifted(Learned& known, const RouteCosts& costs) const {
  if (known.verdictNs == 0 || known.wait <= kRestPeriods) return;
  if (known.periods < kDriftPeriods) return;
  const double ns = costs.of[known.settled][sizeClass_].ns;
  const double change = ns > known.verdictNs ? ns / known.verdictNs : known.verdictNs / ns;
  if (change < 1 + kDriftPercent / 100) {
    known.drifts = 0;
    return;
  }
  if (++known.drifts < kWinsNeeded) return;
  known.drifts = 0;
  known.interval = kExplorePeriods / 2;
  rest(known, kRestPeriods);
}

}  // namespace ringpoll
