// The timer wheel: never early, at most one tick late, and always awake in time.
#include "core/channel/timer_wheel.h"

#include <map>
#include <memory>
#include <vector>

#include "check.h"
#include "random.h"

namespace {

using namespace ringpoll;

constexpr uint64_t kTick = kTimerTickMs;
constexpr uint64_t kTicksOfLevel[] = {1, 64, 64 * 64, 64 * 64 * 64, 64 * 64 * 64 * 64};

constexpr uint32_t kWakeupsMax = 10'000'000;  // of one clock: more is a wheel that spins

struct Timer {
  TimerNode node;
  uint64_t dueMs = 0;
  uint32_t fired = 0;
};

Timer& timerOf(TimerNode& node) { return *reinterpret_cast<Timer*>(&node); }

// The wheel with a clock of its own.
struct Clock {
  explicit Clock(uint64_t startMs) : nowMs(startMs), wheel(startMs) {}

  void arm(Timer& timer, uint64_t delayMs) {
    timer.dueMs = nowMs + delayMs;
    wheel.arm(timer.node, nowMs, delayMs);
  }
  void advanceTo(uint64_t ms) {
    nowMs = ms;
    wheel.advance(ms, [this](TimerNode& node) {
      Timer& timer = timerOf(node);
      ++timer.fired;
      if (nowMs < timer.dueMs) ++early;
    });
  }
  // As the loop does: sleeps as long as the wheel allows, and no longer.
  void advanceByWaking(uint64_t untilMs) {
    while (nowMs < untilMs && wakeups < kWakeupsMax) {
      const int64_t wait = wheel.untilNextMs(nowMs);
      if (wait < 0 || nowMs + static_cast<uint64_t>(wait) > untilMs) {
        advanceTo(untilMs);
        return;
      }
      advanceTo(nowMs + static_cast<uint64_t>(wait));
      ++wakeups;
    }
  }

  uint64_t nowMs;
  TimerWheel wheel;
  uint32_t early = 0;
  uint32_t wakeups = 0;
};

TEST(timer_wheel_with_nothing_armed_asks_for_nothing) {
  Clock clock(1000);
  CHECK_EQ(clock.wheel.untilNextMs(1000), -1);
  clock.advanceTo(5000);
  CHECK_EQ(clock.wheel.armedCount(), 0u);
}

TEST(timer_wheel_fires_on_time_at_every_level) {
  for (uint64_t ticks : kTicksOfLevel) {
    for (uint64_t factor : {1u, 2u, 63u}) {
      const uint64_t middle = ticks * factor * kTick;
      for (uint64_t delay : {middle - 1, middle, middle + 1}) {
        if (delay == 0) continue;
        Clock clock(12'345);
        Timer timer;
        clock.arm(timer, delay);
        clock.advanceTo(timer.dueMs - 1);
        CHECK_EQ(timer.fired, 0u);
        clock.advanceTo(timer.dueMs + kTick);
        CHECK_EQ(timer.fired, 1u);
        CHECK(!timer.node.armed());
      }
    }
  }
}

TEST(timer_wheel_wakes_in_time_for_every_level) {
  for (uint64_t ticks : kTicksOfLevel) {
    Clock clock(777);
    Timer timer;
    clock.arm(timer, ticks * kTick * 5 + 3);
    clock.advanceByWaking(timer.dueMs + kTick);
    CHECK_EQ(timer.fired, 1u);
    CHECK_EQ(clock.early, 0u);
    // A wake-up for each level that the timer comes down by, not for each tick.
    CHECK(clock.wakeups <= TimerWheel::kLevels + 1);
  }
}

TEST(timer_wheel_holds_the_longest_delay) {
  Clock clock(5);
  Timer timer;
  clock.arm(timer, TimerWheel::kDelayMaxMs);
  clock.advanceByWaking(timer.dueMs - 1);
  CHECK_EQ(timer.fired, 0u);
  clock.advanceByWaking(timer.dueMs + kTick);
  CHECK_EQ(timer.fired, 1u);
}

TEST(timer_wheel_shortens_delays_that_are_too_long) {
  Clock clock(5);
  Timer timer;
  clock.wheel.arm(timer.node, 5, TimerWheel::kDelayMaxMs * 3);
  clock.advanceByWaking(5 + TimerWheel::kDelayMaxMs + kTick);
  CHECK_EQ(timer.fired, 1u);
}

TEST(timer_wheel_moves_a_timer_that_is_armed_again) {
  Clock clock(0);
  Timer timer;
  clock.arm(timer, 100);
  clock.advanceTo(90);
  clock.arm(timer, 100);
  CHECK_EQ(clock.wheel.armedCount(), 1u);
  clock.advanceTo(189);
  CHECK_EQ(timer.fired, 0u);
  clock.advanceTo(190 + kTick);
  CHECK_EQ(timer.fired, 1u);
  clock.arm(timer, 5000);
  clock.arm(timer, 8);
  clock.advanceTo(clock.nowMs + 8 + kTick);
  CHECK_EQ(timer.fired, 2u);
}

TEST(timer_wheel_forgets_cancelled_timers) {
  Clock clock(0);
  Timer timers[4];
  const uint64_t delays[] = {8, 1000, 100'000, 20'000'000};
  for (int i = 0; i < 4; ++i) clock.arm(timers[i], delays[i]);
  for (Timer& timer : timers) {
    clock.wheel.cancel(timer.node);
    clock.wheel.cancel(timer.node);  // twice is as good as once
    CHECK(!timer.node.armed());
  }
  CHECK_EQ(clock.wheel.untilNextMs(0), -1);
  clock.advanceTo(40'000'000);
  for (Timer& timer : timers) CHECK_EQ(timer.fired, 0u);
}

TEST(timer_wheel_allows_arming_and_cancelling_within_fire) {
  TimerWheel wheel(0);
  Timer first, second, third;
  wheel.arm(first.node, 0, 40);
  wheel.arm(second.node, 0, 40);  // the same bucket
  wheel.arm(third.node, 0, 400);
  uint32_t calls = 0;
  wheel.advance(44, [&](TimerNode& node) {
    ++calls;
    CHECK(!node.armed());
    if (&node == &first.node) {
      wheel.cancel(second.node);  // due as well, but not any more
      wheel.cancel(third.node);
      wheel.arm(first.node, 44, 1);
    }
  });
  CHECK_EQ(calls, 1u);
  CHECK(first.node.armed() && !second.node.armed() && !third.node.armed());
  CHECK_EQ(wheel.armedCount(), 1u);
  wheel.cancel(first.node);
}

TEST(timer_wheel_fires_a_timer_armed_by_another_within_one_advance) {
  TimerWheel wheel(0);
  Timer first, second;
  wheel.arm(first.node, 0, 40);
  std::vector<TimerNode*> order;
  wheel.advance(1000, [&](TimerNode& node) {
    order.push_back(&node);
    // Armed for the time at which the first was due: the advance has not come to its end yet.
    if (&node == &first.node) wheel.arm(second.node, 44, 100);
  });
  CHECK_EQ(order.size(), 2u);
  CHECK(order[1] == &second.node);
}

TEST(timer_wheel_fires_timers_in_order_of_their_ticks) {
  Clock clock(0);
  std::vector<std::unique_ptr<Timer>> timers;
  test::Random random(3);
  for (int i = 0; i < 500; ++i) {
    timers.push_back(std::make_unique<Timer>());
    clock.arm(*timers.back(), random.between(1, 3'000'000));
  }
  uint64_t last = 0;
  uint32_t disorder = 0;
  clock.wheel.advance(4'000'000, [&](TimerNode& node) {
    const uint64_t dueMs = timerOf(node).dueMs;
    if (dueMs + kTick <= last) ++disorder;
    if (dueMs > last) last = dueMs;
  });
  CHECK_EQ(disorder, 0u);
  CHECK_EQ(clock.wheel.armedCount(), 0u);
}

// Ticks are 32-bit numbers, which begin again after 198 days.
TEST(timer_wheel_goes_on_when_its_ticks_wrap) {
  const uint64_t wrapMs = (1ull << 32) * kTick;
  Clock clock(1'000);
  Timer pulse;
  // Stays armed all the while, as in a server that is never idle.
  while (clock.nowMs < 1'000 + wrapMs - 600'000) {
    clock.arm(pulse, TimerWheel::kDelayMaxMs / 64);
    clock.advanceTo(pulse.dueMs + kTick);
    CHECK_EQ(pulse.fired, 1u);
    pulse.fired = 0;
  }
  for (int i = 0; i < 2000; ++i) {
    Timer timer;
    clock.arm(timer, 1'000);
    const int64_t wait = clock.wheel.untilNextMs(clock.nowMs);
    CHECK(wait > 0 && wait <= 1'000 + static_cast<int64_t>(kTick));
    clock.advanceByWaking(timer.dueMs - 1);
    CHECK_EQ(timer.fired, 0u);
    clock.advanceByWaking(timer.dueMs + kTick);
    CHECK_EQ(timer.fired, 1u);
  }
  CHECK(clock.nowMs > 1'000 + wrapMs + 600'000);
}

TEST(timer_wheel_keeps_time_after_months_without_a_timer) {
  for (const uint64_t days : {1u, 60u, 120u, 250u, 400u}) {
    Clock clock(1'000);
    // The loop does not advance a wheel in which nothing is armed.
    clock.nowMs += days * 24 * 3600 * 1000;
    Timer timer;
    clock.arm(timer, 5'000);
    const int64_t wait = clock.wheel.untilNextMs(clock.nowMs);
    CHECK(wait > 0 && wait <= 5'000 + static_cast<int64_t>(kTick));
    clock.advanceByWaking(timer.dueMs - 1);
    CHECK_EQ(timer.fired, 0u);
    clock.advanceByWaking(timer.dueMs + kTick);
    CHECK_EQ(timer.fired, 1u);
  }
}

// Timers against a list sorted by due time.
void runAgainstModel(uint64_t seed) {
  test::Random random(seed);
  Clock clock(random.below(1ull << 40));
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 200; ++i) timers.push_back(std::make_unique<Timer>());
  std::multimap<uint64_t, Timer*> model;
  const auto forget = [&model](Timer& timer) {
    for (auto [at, end] = model.equal_range(timer.dueMs); at != end; ++at) {
      if (at->second != &timer) continue;
      model.erase(at);
      return;
    }
  };
  const auto check = [&] {
    const int64_t wait = clock.wheel.untilNextMs(clock.nowMs);
    CHECK_EQ(wait < 0, model.empty());
    if (!model.empty() && model.begin()->first > clock.nowMs) {
      // Rounded up to the tick at which it fires, and never later.
      CHECK(clock.nowMs + static_cast<uint64_t>(wait) <= model.begin()->first + kTick);
    }
    CHECK_EQ(clock.wheel.armedCount(), model.size());
  };
  for (int step = 0; step < 4'000; ++step) {
    Timer& timer = *timers[random.below(timers.size())];
    if (random.oneIn(3)) {
      if (timer.node.armed()) forget(timer);
      clock.wheel.cancel(timer.node);
    } else if (random.oneIn(2)) {
      if (timer.node.armed()) forget(timer);
      clock.arm(timer, random.between(1, 1ull << random.between(1, 32)));
      model.emplace(timer.dueMs, &timer);
    } else {
      const uint64_t target = clock.nowMs + random.below(1ull << random.below(31));
      for (auto& each : timers) each->fired = 0;
      if (random.oneIn(2)) {
        clock.advanceTo(target);
      } else {
        clock.advanceByWaking(target);
      }
      // All that are a tick overdue must have fired, none may be early, none twice.
      while (!model.empty() && model.begin()->first + kTick <= clock.nowMs) {
        CHECK_EQ(model.begin()->second->fired, 1u);
        model.erase(model.begin());
      }
      while (!model.empty() && model.begin()->second->fired == 1) model.erase(model.begin());
      std::vector<std::multimap<uint64_t, Timer*>::iterator> within;
      for (auto at = model.begin(); at != model.end() && at->first <= clock.nowMs; ++at) {
        if (at->second->fired == 1) within.push_back(at);
      }
      for (auto at : within) model.erase(at);
    }
    check();
  }
  CHECK_EQ(clock.early, 0u);
}

TEST(timer_wheel_agrees_with_a_sorted_list_under_random_use) {
  for (uint64_t seed = 1; seed <= 20; ++seed) runAgainstModel(seed);
}

}  // namespace
