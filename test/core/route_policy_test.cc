// The rules of routing: hints, and what is learned from measurements.
#include "check.h"
#include "core/route_policy.h"

namespace {

using namespace ringpoll;

constexpr RouterInput kBoth{0, 1};
constexpr RouteChoice kRingPoll{0, Route::kReadiness};
constexpr RouteChoice kRingReceive{0, Route::kCompletion};
constexpr RouteChoice kEpoll{1, Route::kReadiness};
constexpr RoutePeriod kChatter{1000, 64 * 1000};
constexpr RoutePeriod kStreams{1000, 65536 * 1000};
constexpr RoutePeriod kIdle{0, 0};

RouteCosts costs(double readinessNs, double completionNs) {
  RouteCosts result;
  result.of[kRouteReadiness][0] = {readinessNs, 100};
  result.of[kRouteCompletion][0] = {completionNs, 100};
  return result;
}

// Periods until the policy settles on `wanted`, or -1.
int periodsUntil(RoutePolicy& policy, Route wanted, const RoutePeriod& period,
                 const RouteCosts& measured, int most) {
  for (int i = 1; i <= most; ++i) {
    policy.decide(period, measured);
    if (policy.settled() == wanted && !policy.exploring()) return i;
  }
  return -1;
}

TEST(router_prefers_readiness_in_the_ring) {
  CHECK(chooseRoute(kBoth, EngineHint::kAuto) == kRingPoll);
  CHECK(chooseRoute(kBoth, EngineHint::kUring) == kRingPoll);
}

TEST(router_follows_hints_the_nearest_first) {
  CHECK(chooseRoute(kBoth, EngineHint::kPoll) == kEpoll);
  CHECK(chooseRoute(kBoth, EngineHint::kPoll, ReceiveHint::kCompletion) == kRingReceive);
  CHECK(chooseRoute(kBoth, EngineHint::kUring, ReceiveHint::kPoll) == kEpoll);
  RouterInput completion = kBoth;
  completion.receive = ReceiveHint::kCompletion;
  CHECK(chooseRoute(completion, EngineHint::kAuto) == kRingReceive);
  CHECK(chooseRoute(completion, EngineHint::kAuto, ReceiveHint::kReadiness) == kRingPoll);
}

TEST(router_replaces_what_there_is_not_and_says_so) {
  const RouterInput pollOnly{-1, 0};
  const RouteChoice only{0, Route::kReadiness};
  for (const ReceiveHint hint : {ReceiveHint::kReadiness, ReceiveHint::kCompletion}) {
    CHECK(chooseRoute(pollOnly, EngineHint::kAuto, hint) == only);
    CHECK(refusesHint(pollOnly, EngineHint::kAuto, hint, only));
  }
  CHECK(refusesHint(pollOnly, EngineHint::kUring, ReceiveHint::kAuto, only));
  CHECK(!refusesHint(pollOnly, EngineHint::kAuto, ReceiveHint::kAuto, only));
  const RouterInput ringOnly{0, -1};
  const RouteChoice ring = chooseRoute(ringOnly, EngineHint::kPoll);
  CHECK(ring == only);
  CHECK(refusesHint(ringOnly, EngineHint::kPoll, ReceiveHint::kAuto, ring));
}

TEST(router_gives_what_was_learned_to_those_without_a_hint_only) {
  RouterInput learned = kBoth;
  learned.learned = Route::kCompletion;
  CHECK(chooseRoute(learned, EngineHint::kAuto) == kRingReceive);
  CHECK(chooseRoute(learned, EngineHint::kAuto, ReceiveHint::kReadiness) == kRingPoll);
  CHECK(chooseRoute(learned, EngineHint::kPoll) == kEpoll);
}

TEST(policy_explores_one_period_in_a_hundred_and_less_after_vain_attempts) {
  RoutePolicy policy;
  const RouteCosts measured = costs(4600, 4900);
  int explored = 0;
  for (int i = 0; i < 10000; ++i) {
    if (policy.decide(kChatter, measured) == Route::kCompletion) ++explored;
  }
  CHECK(explored >= 1);
  CHECK(explored <= 10);
  CHECK(policy.settled() == Route::kReadiness);
}

TEST(policy_takes_completion_only_when_it_wins_several_times) {
  RoutePolicy policy;
  CHECK_EQ(periodsUntil(policy, Route::kCompletion, kChatter, costs(5000, 4800), 5000), -1);
  RoutePolicy other;
  const int periods = periodsUntil(other, Route::kCompletion, kChatter, costs(5000, 4000), 5000);
  CHECK(periods > static_cast<int>(RoutePolicy::kExplorePeriods));
  CHECK(periods < static_cast<int>(2 * RoutePolicy::kExplorePeriods));
}

TEST(policy_leaves_completion_at_once_when_messages_become_large) {
  RoutePolicy policy;
  const RouteCosts measured = costs(5000, 4000);
  CHECK(periodsUntil(policy, Route::kCompletion, kChatter, measured, 5000) > 0);
  CHECK_EQ(periodsUntil(policy, Route::kReadiness, kStreams, measured, 10), 1);
}

TEST(policy_leaves_completion_when_readiness_becomes_cheaper) {
  RoutePolicy policy;
  CHECK(periodsUntil(policy, Route::kCompletion, kChatter, costs(5000, 4000), 5000) > 0);
  const int periods = periodsUntil(policy, Route::kReadiness, kChatter, costs(4000, 5000), 10);
  CHECK_EQ(periods, static_cast<int>(RoutePolicy::kWinsNeeded));
}

TEST(policy_changes_nothing_while_idle) {
  RoutePolicy policy;
  for (int i = 0; i < 5000; ++i) {
    CHECK(policy.decide(kIdle, costs(5000, 4000)) == Route::kReadiness);
  }
}

TEST(policy_never_explores_with_large_messages) {
  RoutePolicy policy;
  for (int i = 0; i < 5000; ++i) {
    CHECK(policy.decide(kStreams, costs(5000, 4000)) == Route::kReadiness);
  }
}

}  // namespace
