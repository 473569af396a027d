// Timeouts of the loop, on the scripted kernel, whose waits can last although something happens.
#include <chrono>

#include "scripted_fixture.h"

namespace {

using namespace test;
using SteadyClock = std::chrono::steady_clock;

int64_t millisecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - start).count();
}

TEST(loop_tells_of_an_idle_connection_again_and_again) {
  for (const Kind kind : kBothKinds) {
    Owner settings;
    settings.idleTimeoutMs = 30;
    Scripted scripted(kind, settings);
    const Connected peer = scripted.accept();
    uint32_t timeouts = 0;
    scripted.js.handler = [&](const Event& event) {
      if (event.kind == EventKind::kTimeout && event.name == peer.name) ++timeouts;
    };
    for (uint32_t expected = 1; expected <= 3; ++expected) {
      const auto start = SteadyClock::now();
      CHECK(scripted.js.until([&] { return timeouts == expected; }));
      CHECK(millisecondsSince(start) >= 28);
    }
    scripted.js.command(CommandKind::kTimeout, peer.name, 0);
    scripted.js.turn();
    const auto start = SteadyClock::now();
    scripted.js.until([&] { return millisecondsSince(start) > 60; });
    CHECK_EQ(timeouts, 3u);
  }
}

TEST(loop_waits_no_longer_than_until_the_next_timer) {
  Owner settings;
  settings.idleTimeoutMs = 500;
  Scripted scripted(Kind::kRing, settings);
  scripted.js.turn(-1);
  CHECK_EQ(scripted.kernel.lastTimeoutNs(), -1);
  scripted.accept();
  scripted.js.turn(-1);
  CHECK(scripted.kernel.lastTimeoutNs() > 0);
  CHECK(scripted.kernel.lastTimeoutNs() <= 504'000'000);
  scripted.js.turn(1'000'000);
  CHECK_EQ(scripted.kernel.lastTimeoutNs(), 1'000'000);
}

TEST(loop_does_not_wait_while_events_wait_for_javascript) {
  Scripted scripted(Kind::kRing);
  const Connected peer = scripted.accept();
  scripted.js.command(CommandKind::kDestroy, peer.name);
  scripted.js.loop.flush();
  CHECK(scripted.js.loop.hasWork() || scripted.kernel.inKernel(peer.fd, OpKind::kReceive));
  scripted.settle();
  CHECK(!scripted.js.loop.hasWork());
}

}  // namespace
