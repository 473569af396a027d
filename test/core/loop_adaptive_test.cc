// A loop that learns its routes, on a scripted kernel and clocks that the test turns: what a
// message costs depends on the route that it came by, and all bytes are compared.
#include "scripted_fixture.h"

namespace {

using namespace test;

class Clocks final : public LoopClock {
 public:
  uint64_t nowMs() override { return ms; }
  uint64_t threadCpuNs() override { return cpuNs; }

  uint64_t ms = 1'000'000;
  uint64_t cpuNs = 1;
};

// One connection, whose messages come one a millisecond.
class Traffic {
 public:
  Traffic() : js_(optionsWith(&clocks_), &kernel_) {
    js_.loop.startWith([this](EngineContext context) { return makeScriptedRing(context, kernel_); },
                       true);
    SocketAddress address;
    SocketAddress::fromIp("127.0.0.1", 0, &address);
    uint32_t owner = 0;
    const int listener = js_.loop.listen(address, {}, {}, &owner).fd;
    js_.handler = [this](const Event& event) {
      if (event.kind == EventKind::kOpen) name_ = event.name;
      if (event.kind != EventKind::kData) return;
      clocks_.cpuNs += costNs[js_.loop.routeOf(*js_.channel(event.name))];
      received_ += event.bytes;
    };
    fd_ = kernel_.openSocket();
    kernel_.complete(listener, OpKind::kAccept, fd_, true);
    js_.turn();
  }

  static LoopOptions optionsWith(LoopClock* clock) {
    LoopOptions options = Scripted::checkedOptions();
    options.adaptive = true;
    options.clock = clock;
    return options;
  }

  RouteIndex route() { return js_.loop.routeOf(*js_.channel(name_)); }
  RoutingReport report() { return js_.loop.routing(); }

  // Milliseconds until messages of this size come by `wanted` for a period, or -1.
  int millisecondsUntil(RouteIndex wanted, size_t bytes, int most) {
    constexpr int kSettledMs = 2 * RouteMeter::kPeriodMs;
    for (int i = 0, since = 0; i < most; ++i, ++since) {
      message(bytes);
      if (route() != wanted || report().exploring) since = 0;
      if (since == kSettledMs) return i;
    }
    return -1;
  }
  void message(size_t bytes) {
    std::string text(bytes, '\0');
    for (char& byte : text) byte = static_cast<char>(sent_.size() * 7 + (&byte - text.data()) * 13);
    sent_ += text;
    kernel_.completeReceive(fd_, text);
    // A migration takes turns of its own.
    for (int i = 0; i < 8; ++i) js_.turn();
    clocks_.ms += 1;
  }
  void silence(int milliseconds) {
    for (int i = 0; i < milliseconds; ++i) {
      js_.turn();
      clocks_.ms += 1;
    }
  }
  void expectEveryByte() const {
    CHECK(received_ == sent_);
    CHECK_EQ(kernel_.violations().size(), 0u);
  }

  uint64_t costNs[kRouteCount] = {5000, 5000, 5000};

 private:
  Clocks clocks_;
  ScriptedKernel kernel_;
  LoopFixture js_;
  Name name_;
  int fd_ = -1;
  std::string sent_;
  std::string received_;
};

TEST(adaptive_loop_finds_the_cheaper_route_within_a_second_and_follows_the_traffic) {
  constexpr size_t kSmall = 64;
  constexpr size_t kLarge = 64 * 1024;
  Traffic traffic;
  traffic.costNs[kRouteCompletion] = 3000;
  const int found = traffic.millisecondsUntil(kRouteCompletion, kSmall, 3000);
  CHECK(found > 0);
  CHECK(found <= 1000);
  const int left = traffic.millisecondsUntil(kRouteReadiness, kLarge, 1000);
  CHECK(left > 0);
  CHECK(left <= 1000);
  traffic.silence(5000);
  CHECK(traffic.route() == kRouteReadiness);
  const int back = traffic.millisecondsUntil(kRouteCompletion, kSmall, 1000);
  CHECK(back > 0);
  CHECK(back <= 1000);
  traffic.expectEveryByte();
  const RoutingReport report = traffic.report();
  CHECK(report.changes >= 3);
  CHECK(report.stats[kRouteCompletion].migrations >= 2);
  CHECK_EQ(std::string(report.reason), "completion measured cheaper");
}

TEST(adaptive_loop_stays_where_it_is_when_nothing_is_gained) {
  Traffic traffic;
  traffic.costNs[kRouteCompletion] = 4900;
  for (int i = 0; i < 5000; ++i) traffic.message(64);
  CHECK(traffic.route() == kRouteReadiness);
  CHECK(traffic.report().stats[kRouteCompletion].migrations <= 2);
  traffic.expectEveryByte();
}

}  // namespace
