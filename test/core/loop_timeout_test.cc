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
    Endpoint settings;
    settings.idleTimeoutMs = 30;
    Scripted scripted(kind, settings);
    const auto begin = SteadyClock::now();
    const Connected peer = scripted.accept();
    uint32_t timeouts = 0;
    scripted.js.handler = [&](const Event& event) {
      if (event.kind == EventKind::kTimeout && event.name == peer.name) ++timeouts;
    };
    for (uint32_t expected = 1; expected <= 3; ++expected) {
      CHECK(scripted.js.until([&] { return timeouts == expected; }));
      CHECK(millisecondsSince(begin) >= expected * 30 - 1);  // the loop's clock has whole numbers
    }
    scripted.js.command(CommandKind::kTimeout, peer.name, 0);
    scripted.js.turn();
    const auto start = SteadyClock::now();
    scripted.js.until([&] { return millisecondsSince(start) > 60; });
    CHECK_EQ(timeouts, 3u);
  }
}

TEST(loop_waits_no_longer_than_until_the_next_timer) {
  Endpoint settings;
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

TEST(loop_does_not_call_a_connection_idle_that_came_after_a_long_wait) {
  for (const Kind kind : kBothKinds) {
    Endpoint settings;
    settings.idleTimeoutMs = 60;
    Scripted scripted(kind, settings);
    const int fd = scripted.kernel.openSocket();
    scripted.kernel.waitTakes(100);  // longer than the timeout
    scripted.accepts(fd);
    CHECK(areKinds(scripted.js.turn(), {EventKind::kOpen}));
    CHECK(scripted.settle().empty());
  }
}

TEST(loop_counts_the_idle_time_from_the_moment_bytes_came) {
  for (const Kind kind : kBothKinds) {
    Endpoint settings;
    settings.idleTimeoutMs = 80;
    Scripted scripted(kind, settings);
    const Connected peer = scripted.accept();
    const auto begin = SteadyClock::now();
    scripted.kernel.waitTakes(60);
    scripted.arrives(peer.fd, "x");
    CHECK(areKinds(scripted.js.turn(), {EventKind::kData}));
    uint32_t timeouts = 0;
    scripted.js.handler = [&](const Event& event) {
      if (event.kind == EventKind::kTimeout) ++timeouts;
    };
    CHECK(scripted.js.until([&] { return timeouts == 1; }));
    CHECK(millisecondsSince(begin) >= 60 + 80 - 1);
  }
}

TEST(loop_counts_an_idle_timeout_from_the_moment_it_was_set) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    scripted.arrives(peer.fd, "x");
    SteadyClock::time_point set;
    uint32_t timeouts = 0;
    scripted.js.handler = [&](const Event& event) {
      if (event.kind == EventKind::kTimeout) ++timeouts;
      if (event.kind != EventKind::kData) return;
      // A handler that takes its time before it sets the timeout.
      const auto start = SteadyClock::now();
      while (millisecondsSince(start) < 60) continue;
      set = SteadyClock::now();
      scripted.js.command(CommandKind::kTimeout, event.name, 50);
    };
    scripted.js.turn();
    CHECK(scripted.js.until([&] { return timeouts == 1; }));
    CHECK(millisecondsSince(set) >= 48);
  }
}

}  // namespace
