// When the loop polls before it blocks: an engine and a clock that the test winds.
#include "core/loop/waiting.h"

#include "check.h"
#include "core/base/limits.h"
#include "idle_engine.h"

namespace {

using namespace ringpoll;

uint64_t now = 0;
uint64_t testClock() { return now; }

constexpr uint64_t kPollNs = 1000;

// Its next event comes after so long.
class TimedEngine final : public test::IdleEngine {
 public:
  uint64_t eventInNs = 0;
  uint64_t blocks = 0;
  int64_t lastTimeoutNs = 0;

  void next(uint64_t ns) {
    eventInNs = ns;
    has_ = false;
  }
  void wait(int64_t timeoutNs) override {
    if (timeoutNs == 0) {
      take(kPollNs);
      return;
    }
    ++blocks;
    lastTimeoutNs = timeoutNs;
    const auto longest = timeoutNs < 0 ? UINT64_MAX : static_cast<uint64_t>(timeoutNs);
    take(eventInNs < longest ? eventInNs : longest);
  }
  bool hasEvents() const override { return has_; }

 private:
  void take(uint64_t ns) {
    now += ns;
    has_ = eventInNs <= ns;
    eventInNs -= has_ ? eventInNs : ns;
  }
  bool has_ = false;
};

struct Waits {
  explicit Waits(WaitStrategy strategy) { waiting.setStrategy(strategy); }
  // One event after so long; true: it came while polling.
  bool event(uint64_t ns) {
    const uint64_t before = metrics.waitSpinsPaid;
    engine.next(ns);
    waiting.wait(engine, -1);
    return metrics.waitSpinsPaid > before;
  }

  Metrics metrics;
  TimedEngine engine;
  Waiting waiting{metrics, testClock};
};

constexpr uint64_t kSoonNs = kSpinNsMax / 2;
constexpr uint64_t kLaterNs = 3 * kSpinNsMax;  // a short wait, but polling does not pay

TEST(waiting_blocks_at_once_by_default) {
  Waits waits(WaitStrategy::kBlock);
  for (int i = 0; i < 1000; ++i) CHECK(!waits.event(kSoonNs));
  CHECK_EQ(waits.engine.blocks, 1000);
  CHECK_EQ(waits.metrics.waitSpins, 0);
}

TEST(waiting_spins_for_a_bounded_time_and_then_blocks) {
  Waits waits(WaitStrategy::kSpin);
  CHECK(waits.event(kSoonNs));
  CHECK_EQ(waits.engine.blocks, 0);
  CHECK(!waits.event(kLaterNs));
  CHECK_EQ(waits.engine.blocks, 1);
  CHECK_EQ(waits.metrics.waitSpins, 2);
  const uint64_t start = now;
  waits.engine.next(1'000'000'000);
  waits.waiting.wait(waits.engine, 250'000);
  CHECK_EQ(now - start, 250'000);  // what was polled is part of the timeout
  CHECK_EQ(waits.engine.lastTimeoutNs, 250'000 - static_cast<int64_t>(kSpinNsMax));
  const uint64_t before = now;
  waits.engine.next(1'000'000'000);
  waits.waiting.wait(waits.engine, 40'000);
  CHECK_EQ(now - before, 40'000);
  CHECK_EQ(waits.engine.blocks, 2);
}

TEST(waiting_never_polls_twice_when_it_may_not_wait) {
  Waits waits(WaitStrategy::kSpin);
  const uint64_t before = now;
  waits.engine.next(kSoonNs);
  waits.waiting.wait(waits.engine, 0);
  CHECK_EQ(now - before, kPollNs);
  CHECK_EQ(waits.metrics.waitSpins, 0);
}

TEST(waiting_adapts_to_events_that_come_soon) {
  Waits waits(WaitStrategy::kAdaptive);
  uint32_t paid = 0;
  for (int i = 0; i < 1000; ++i) paid += waits.event(kSoonNs);
  CHECK_EQ(paid, 1000 - kSpinProbeEveryMin);
}

TEST(waiting_adaptive_does_not_poll_when_events_are_rare) {
  Waits waits(WaitStrategy::kAdaptive);
  for (int i = 0; i < 10'000; ++i) waits.event(kSpinShortWaitNs + 1);
  CHECK_EQ(waits.metrics.waitSpins, 0);
  // A few short ones between them change nothing.
  for (int i = 0; i < 10'000; ++i) {
    waits.event(i % kSpinProbeEveryMin == 0 ? kSpinShortWaitNs + 1 : kSoonNs);
  }
  CHECK_EQ(waits.metrics.waitSpins, 0);
}

TEST(waiting_adaptive_stops_polling_when_it_does_not_pay_and_tries_less_and_less) {
  Waits waits(WaitStrategy::kAdaptive);
  for (int i = 0; i < 1000; ++i) waits.event(kSoonNs);
  const uint64_t before = waits.metrics.waitSpins;
  for (int i = 0; i < 10; ++i) waits.event(5 * kSpinShortWaitNs);
  CHECK_EQ(waits.metrics.waitSpins - before, kSpinCreditMax / kSpinMissCost);
  const uint64_t idle = waits.metrics.waitSpins;
  for (int i = 0; i < 100; ++i) waits.event(5 * kSpinShortWaitNs);
  CHECK_EQ(waits.metrics.waitSpins, idle);
  // Short waits in which polling never pays: one in a thousand tries, in the long run.
  for (int i = 0; i < 2000; ++i) CHECK(!waits.event(kLaterNs));
  const uint64_t tried = waits.metrics.waitSpins;
  for (uint32_t i = 0; i < 10 * kSpinProbeEveryMax; ++i) CHECK(!waits.event(kLaterNs));
  CHECK(waits.metrics.waitSpins - tried <= 11 && waits.metrics.waitSpins > tried);
  // And when it pays again, that is found out.
  uint32_t paid = 0;
  for (uint32_t i = 0; i < 3 * kSpinProbeEveryMax; ++i) paid += waits.event(kSoonNs);
  CHECK(paid > kSpinProbeEveryMax);
}

}  // namespace
