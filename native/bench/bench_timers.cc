// The timer wheel.
#include <vector>

#include "bench_cases.h"
#include "core/channel/timer_wheel.h"

namespace ringpoll::bench {

namespace {
constexpr uint32_t kMany = 10'000;
constexpr uint64_t kStartMs = 1'000'000;
constexpr uint64_t kDelayMs = 5'000;
}  // namespace

Sample timerArmCancel(uint32_t operations, const Threads&) {
  TimerWheel wheel(kStartMs);
  TimerNode node;
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) {
    wheel.arm(node, kStartMs, kDelayMs + i % 1024);
    wheel.cancel(node);
  }
  return {watch.elapsedNs(), 0, ""};
}

// What an idle time-out does at every message of one among many connections.
Sample timerRearmAmongMany(uint32_t operations, const Threads&) {
  TimerWheel wheel(kStartMs);
  std::vector<TimerNode> nodes(kMany);
  for (uint32_t i = 0; i < kMany; ++i) wheel.arm(nodes[i], kStartMs, kDelayMs + i % 2048);
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) {
    // A stride that is prime to their number: the next timer is seldom in the cache.
    wheel.arm(nodes[(i * 7919u) % kMany], kStartMs, kDelayMs + i % 2048);
  }
  const double elapsed = watch.elapsedNs();
  for (TimerNode& node : nodes) wheel.cancel(node);
  return {elapsed, 0, ""};
}

Sample timerFire(uint32_t operations, const Threads&) {
  TimerWheel wheel(kStartMs);
  std::vector<TimerNode> nodes(kMany);
  uint64_t nowMs = kStartMs;
  uint64_t fired = 0;
  const Stopwatch watch;
  while (fired < operations) {
    for (uint32_t i = 0; i < kMany; ++i) wheel.arm(nodes[i], nowMs, 1 + i % 200);
    nowMs += 400;
    wheel.advance(nowMs, [&](TimerNode&) { ++fired; });
  }
  // Whole rounds were fired; the time is scaled to what was asked for.
  return {watch.elapsedNs() * operations / static_cast<double>(fired), 0, ""};
}

}  // namespace ringpoll::bench
