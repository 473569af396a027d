// The rules of routing: hints, and what is learned from measurements.
#include "check.h"
#include "core/route_policy.h"
#include "random.h"

namespace {

using namespace ringpoll;

constexpr RouterInput kBoth{0, 1};
constexpr RouteChoice kRingPoll{0, Route::kReadiness};
constexpr RouteChoice kRingReceive{0, Route::kCompletion};
constexpr RouteChoice kEpoll{1, Route::kReadiness};
constexpr RoutePeriod kChatter{1000, 64 * 1000};
constexpr RoutePeriod kStreams{1000, 65536 * 1000};
constexpr RoutePeriod kIdle{0, 0};
constexpr int kSecond = 20;  // periods of 50 ms

// A loop whose routes cost what the test says; each period is measured eight times.
struct World {
  double readinessNs = 5000;
  double completionNs = 5000;
  double pollNs = 5000;
  double noisePercent = 0;
  RoutePolicy policy;
  RouteCosts costs;
  RouteIndex route = kRouteReadiness;
  test::Random random{17};
  int explored = 0;
  int moves = 0;  // of what is settled

  void period(const RoutePeriod& traffic) {
    if (traffic.receives > 0) {
      const double ns[kRouteCount] = {readinessNs, completionNs, pollNs};
      const uint32_t size = sizeClassOf(traffic.bytes / traffic.receives);
      for (int i = 0; i < 8; ++i) {
        const double swing = (static_cast<double>(random.below(2001)) - 1000) / 1000;
        costs.of[route][size].add(ns[route] * (1 + swing * noisePercent / 100));
      }
    }
    const RouteIndex before = policy.settled();
    const uint32_t sizeBefore = policy.sizeClass();
    route = policy.decide(traffic, costs);
    if (policy.exploring()) ++explored;
    if (policy.sizeClass() == sizeBefore && policy.settled() != before) ++moves;
  }
  // Periods until `wanted` is settled and in force, or -1.
  int periodsUntil(RouteIndex wanted, const RoutePeriod& traffic, int most) {
    for (int i = 1; i <= most; ++i) {
      period(traffic);
      if (policy.settled() == wanted && route == wanted) return i;
    }
    return -1;
  }
  void run(const RoutePeriod& traffic, int periods) {
    for (int i = 0; i < periods; ++i) period(traffic);
  }
};

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
    CHECK(refusedWish(pollOnly, EngineHint::kAuto, hint, only) ==
          (hint == ReceiveHint::kReadiness ? kWishReadiness : kWishCompletion));
  }
  CHECK_EQ(refusedWish(pollOnly, EngineHint::kUring, ReceiveHint::kAuto, only), kWishUring);
  CHECK_EQ(refusedWish(pollOnly, EngineHint::kAuto, ReceiveHint::kRing, only), kWishUring);
  CHECK_EQ(refusedWish(pollOnly, EngineHint::kAuto, ReceiveHint::kAuto, only), kNoWish);
  const RouterInput ringOnly{0, -1};
  const RouteChoice ring = chooseRoute(ringOnly, EngineHint::kPoll);
  CHECK(ring == only);
  CHECK_EQ(refusedWish(ringOnly, EngineHint::kPoll, ReceiveHint::kAuto, ring), kWishPoll);
}

TEST(router_gives_what_was_learned_to_those_without_a_hint_only) {
  RouterInput learned = kBoth;
  learned.learned = kRouteCompletion;
  CHECK(chooseRoute(learned, EngineHint::kAuto) == kRingReceive);
  CHECK(chooseRoute(learned, EngineHint::kAuto, ReceiveHint::kReadiness) == kRingPoll);
  CHECK(chooseRoute(learned, EngineHint::kPoll) == kEpoll);
}

TEST(router_keeps_to_the_ring_when_that_was_asked_for) {
  RouterInput learned = kBoth;
  learned.learned = kRoutePoll;
  CHECK(chooseRoute(learned, EngineHint::kAuto) == kEpoll);
  CHECK(chooseRoute(learned, EngineHint::kUring) == kRingPoll);
  CHECK(chooseRoute(learned, EngineHint::kPoll, ReceiveHint::kRing) == kRingPoll);
  learned.learned = kRouteCompletion;
  CHECK(chooseRoute(learned, EngineHint::kPoll, ReceiveHint::kRing) == kRingReceive);
  learned.receive = ReceiveHint::kReadiness;
  CHECK(chooseRoute(learned, EngineHint::kAuto) == kRingPoll);
}

TEST(policy_finds_the_cheapest_route_within_a_second) {
  for (const RouteIndex best : {kRouteCompletion, kRoutePoll}) {
    World world;
    (best == kRouteCompletion ? world.completionNs : world.pollNs) = 4000;
    const int periods = world.periodsUntil(best, kChatter, 100);
    CHECK(periods > static_cast<int>(RoutePolicy::kWinsNeeded));
    CHECK(periods <= kSecond);
  }
}

TEST(policy_follows_a_change_of_size_at_once_when_it_knows_the_new_one) {
  World world;
  world.completionNs = 4000;
  CHECK(world.periodsUntil(kRouteCompletion, kChatter, kSecond) > 0);
  CHECK_EQ(world.periodsUntil(kRouteReadiness, kStreams, kSecond), 1);
  world.run(kStreams, 100);
  CHECK_EQ(world.periodsUntil(kRouteCompletion, kChatter, kSecond), 1);
  world.run(kIdle, 1000);
  CHECK(world.route == kRouteCompletion);
}

TEST(policy_follows_within_a_second_when_the_same_messages_change_their_price) {
  World world;
  world.completionNs = 4000;
  CHECK(world.periodsUntil(kRouteCompletion, kChatter, kSecond) > 0);
  world.run(kChatter, kSecond);
  world.completionNs = 9000;
  const int periods = world.periodsUntil(kRouteReadiness, kChatter, 100);
  CHECK(periods > 0);
  CHECK(periods <= kSecond);
}

TEST(policy_explores_a_hundredth_of_the_time_and_less_after_vain_attempts) {
  World world;
  world.completionNs = world.pollNs = 5500;
  world.run(kChatter, 10'000);
  CHECK(world.explored >= 2);
  CHECK(world.explored <= 20);
  CHECK(world.policy.settled() == kRouteReadiness);
}

TEST(policy_does_not_move_for_small_gains) {
  World world;
  world.completionNs = world.pollNs = 4850;
  world.run(kChatter, 5000);
  CHECK_EQ(world.moves, 0);
}

TEST(policy_does_not_flap_on_noise) {
  World world;
  world.noisePercent = 20;
  world.run(kChatter, 20'000);
  CHECK(world.moves <= 2);
  World clear;
  clear.noisePercent = 20;
  clear.completionNs = 3500;
  CHECK(clear.periodsUntil(kRouteCompletion, kChatter, 2 * kSecond) > 0);
  clear.run(kChatter, 20'000);
  CHECK(clear.policy.settled() == kRouteCompletion);
  CHECK_EQ(clear.moves, 1);
}

TEST(policy_changes_nothing_while_idle) {
  World world;
  world.completionNs = 1000;
  world.run(kIdle, 5000);
  CHECK_EQ(world.explored, 0);
  CHECK(world.route == kRouteReadiness);
}

TEST(policy_never_tries_completion_with_large_messages) {
  World world;
  world.completionNs = 1000;
  for (int i = 0; i < 5000; ++i) {
    world.period(kStreams);
    CHECK(world.route != kRouteCompletion);
  }
}

TEST(policy_never_tries_an_engine_that_does_not_run) {
  World world;
  world.policy = RoutePolicy(false);
  world.pollNs = 1000;
  for (int i = 0; i < 5000; ++i) {
    world.period(kChatter);
    CHECK(world.route != kRoutePoll);
  }
}

TEST(policy_begins_with_what_calibration_found) {
  World world;
  world.pollNs = world.completionNs = 4000;
  world.costs.of[kRouteReadiness][0].startNs = 1000;
  world.costs.of[kRouteCompletion][0].startNs = 9000;  // far dearer: its turn comes later
  world.costs.of[kRoutePoll][0].startNs = 1000;
  for (int i = 0; i < kSecond; ++i) {
    world.period(kChatter);
    CHECK(world.route != kRouteCompletion);
  }
  CHECK(world.policy.settled() == kRoutePoll);
  world.completionNs = 2000;
  CHECK(world.periodsUntil(kRouteCompletion, kChatter, 1000) > 0);  // but it comes
}

}  // namespace
