// How epoll tells of connections: the rules, and that nothing is lost by any of them.
#include "core/engine/trigger.h"

#include "random.h"
#include "real_fixture.h"

namespace {

using namespace test;

uint64_t now = 0;
uint64_t testClock() { return now; }

TEST(trigger_goes_down_after_three_empty_wake_ups_in_a_row) {
  TriggerPolicy policy(testClock);
  uint8_t empty = 0;
  for (int i = 0; i < 10; ++i) CHECK(!policy.goesDown(Found::kNothing, &empty));  // by default
  policy.set(Trigger::kAdaptive);
  empty = 0;
  CHECK(!policy.goesDown(Found::kNothing, &empty));
  CHECK(!policy.goesDown(Found::kNothing, &empty));
  CHECK(!policy.goesDown(Found::kLittle, &empty));
  CHECK(!policy.goesDown(Found::kNothing, &empty));
  CHECK(!policy.goesDown(Found::kNothing, &empty));
  CHECK(policy.goesDown(Found::kNothing, &empty));
}

TEST(trigger_has_edges_for_all_above_so_many_ready_events_a_second) {
  TriggerPolicy policy(testClock);
  policy.set(Trigger::kAdaptive);
  CHECK(!policy.busy());
  const auto second = [&](uint64_t events) {
    for (int i = 0; i < 100; ++i) {
      now += 10'000'000;
      policy.woke(static_cast<uint32_t>(events / 100));
    }
  };
  second(kBusyEvents);
  CHECK(!policy.busy());
  second(kBusyEvents + 100);
  CHECK(policy.busy());
  uint8_t empty = 0;
  for (int i = 0; i < 10; ++i) CHECK(!policy.goesDown(Found::kNothing, &empty));
  second(kBusyEvents / 2);
  CHECK(!policy.busy());
}

// Wake-ups that find nothing. The kernel looks again before it tells of an edge, so they are rare.
class Vain final : public SocketCalls {
 public:
  ssize_t receive(int fd, void* data, size_t bytes) override {
    return std::exchange(vain, false) ? -EAGAIN : SocketCalls::receive(fd, data, bytes);
  }
  bool vain = false;
};

TEST(connection_that_wakes_up_in_vain_is_told_by_levels_until_a_burst_comes) {
  LoopOptions options;
  options.engine = EngineChoice::kPoll;
  Vain sockets;
  LoopFixture js(options, &sockets);
  CHECK_EQ(js.loop.start(), std::string());
  js.loop.setTrigger(Trigger::kAdaptive);
  SocketAddress address;
  SocketAddress::fromIp("127.0.0.1", 0, &address);
  uint32_t endpoint = 0;
  const SocketResult opened = js.loop.listen(address, {}, {}, &endpoint);
  Notes notes;
  js.handler = [&](const Event& event) { notes.note(event); };
  Peer peer(localAddress(opened.fd).port);
  CHECK(js.until([&] { return notes.opened == 1; }));
  const auto& bytes = notes.connections[notes.last].bytes;
  const Metrics& metrics = js.loop.metrics();
  for (uint64_t i = 1; i <= kEmptyWakesMax; ++i) {
    CHECK_EQ(metrics.triggersToLevel, 0u);
    sockets.vain = true;
    peer.write("a");
    CHECK(js.until([&] { return metrics.receivesEmpty == i; }));
  }
  CHECK_EQ(metrics.triggersToLevel, 1u);
  // What is there is told, though no edge comes.
  const std::string sent(kEmptyWakesMax, 'a');
  CHECK(js.until([&] { return bytes == sent; }));
  CHECK_EQ(metrics.triggersToEdge, 0u);
  // How much of it comes at a time is the kernel's choice: sooner or later it is more than one
  // read.
  const std::string burst = patternOf(400'000, 1);
  std::string all = sent;
  for (int i = 0; i < 100 && metrics.triggersToEdge == 0; ++i) {
    all += burst;
    size_t at = 0;
    CHECK(js.until([&] {
      at += peer.write(burst, at);
      return bytes.size() == all.size();
    }));
  }
  CHECK(bytes == all);
  CHECK_EQ(metrics.triggersToEdge, 1u);
}

void exchange(Trigger trigger) {
  LoopOptions options;
  options.engine = EngineChoice::kPoll;
  options.checked = true;
  Real real(RealEngine::kPoll, options);
  START_OR_SKIP(real);
  real.js->loop.setTrigger(trigger);
  real.listen();
  Random random(99);
  Notes notes;
  std::vector<Name> paused;
  real.js->handler = [&](const Event& event) {
    notes.note(event);
    if (event.kind == EventKind::kEnd) real.js->command(CommandKind::kEnd, event.name);
    if (event.kind != EventKind::kData) return;
    real.js->writeFrom(event.name, event);
    if (!random.oneIn(4)) return;
    real.js->command(CommandKind::kPause, event.name);
    paused.push_back(event.name);
  };
  constexpr uint32_t kPeers = 8;
  std::vector<std::unique_ptr<Peer>> peers;
  std::vector<std::string> sends;
  std::vector<std::string> answers(kPeers);
  std::vector<size_t> sent(kPeers);
  for (uint32_t i = 0; i < kPeers; ++i) {
    peers.push_back(std::make_unique<Peer>(real.port));
    sends.push_back(patternOf(300'000, i));
  }
  CHECK(real.until([&] {
    uint32_t over = 0;
    for (uint32_t i = 0; i < kPeers; ++i) {
      const size_t end = std::min(sends[i].size(), sent[i] + random.between(1, 40'000));
      if (sent[i] < end) sent[i] += peers[i]->write(sends[i].substr(0, end), sent[i]);
      if (sent[i] == sends[i].size()) peers[i]->shutdown();
      answers[i] += peers[i]->read();
      over += peers[i]->ended ? 1 : 0;
    }
    for (const Name& name : std::exchange(paused, {})) {
      real.js->command(CommandKind::kResume, name);
    }
    return over == kPeers;
  }));
  for (uint32_t i = 0; i < kPeers; ++i) CHECK(answers[i] == sends[i]);
  CHECK(real.until([&] { return notes.closed == kPeers; }));
  // Nothing that is over is told of again and again.
  const uint64_t before = real.js->loop.metrics().turnsWithEvents;
  for (int i = 0; i < 10; ++i) real.js->turn();
  CHECK_EQ(real.js->loop.metrics().turnsWithEvents, before);
  if (trigger == Trigger::kLevel) CHECK(real.js->loop.metrics().triggersToLevel > kPeers);
}

TEST(echoes_with_pauses_are_whole_by_levels) { exchange(Trigger::kLevel); }
TEST(echoes_with_pauses_are_whole_by_an_adaptive_trigger) { exchange(Trigger::kAdaptive); }

// A peer that has reset its connection, and one that has ended it, while nobody reads.
TEST(connection_that_is_over_is_not_told_for_ever_by_levels) {
  Real real(RealEngine::kPoll);
  START_OR_SKIP(real);
  real.js->loop.setTrigger(Trigger::kLevel);
  real.listen();
  Notes notes;
  real.js->handler = [&](const Event& event) {
    notes.note(event);
    if (event.kind == EventKind::kOpen) real.js->command(CommandKind::kPause, event.name);
  };
  Peer first(real.port);
  Peer second(real.port);
  CHECK(real.until([&] { return notes.opened == 2; }));
  first.write("unread");
  first.reset();
  second.write("unread");
  second.shutdown();
  CHECK(real.until([&] { return notes.closed == 1; }));
  // What is still on its way is told once. A level would be told in each wait.
  const Metrics& metrics = real.js->loop.metrics();
  real.js->loop.setWaitStrategy(WaitStrategy::kSpin);  // counts the waits that end with an event
  CHECK(real.until([&] {
    const uint64_t told = metrics.waitSpinsPaid;
    for (int i = 0; i < 10; ++i) real.js->turn(1'000'000);
    return metrics.waitSpinsPaid == told;
  }));
}

}  // namespace
