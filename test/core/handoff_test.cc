// A group of threads: its lock-free queue, its acceptor, and loops that take from mailboxes. Under
// ThreadSanitizer this finds what they share without leave.
#include <atomic>
#include <chrono>
#include <thread>

#include "core/handoff/group.h"
#include "real_fixture.h"

namespace {

using namespace test;

constexpr int64_t kLongWaitNs = 5'000'000'000;
constexpr auto kSoon = std::chrono::seconds(2);  // a wake-up that is lost takes kLongWaitNs

TEST(mpmc_ring_gives_each_value_to_one_consumer) {
  constexpr uint32_t kThreads = 3;
  constexpr uint32_t kEach = 20'000;
  MpmcRing<int, 64> ring;
  std::vector<std::atomic<uint8_t>> seen(static_cast<size_t>(kThreads) * kEach);
  std::atomic<uint32_t> taken{0};
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (uint32_t i = 0; i < kEach; ++i) {
        while (!ring.push(static_cast<int>(t * kEach + i))) std::this_thread::yield();
      }
    });
    threads.emplace_back([&] {
      while (taken.load() < kThreads * kEach) {
        int value = -1;
        if (!ring.pop(&value)) {
          std::this_thread::yield();
          continue;
        }
        seen[static_cast<size_t>(value)].fetch_add(1);
        taken.fetch_add(1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  uint32_t wrong = 0;
  for (const auto& count : seen) wrong += count.load() == 1 ? 0 : 1;
  CHECK_EQ(wrong, 0u);
  CHECK(ring.empty());
}

TEST(mpmc_ring_refuses_when_full_and_when_empty) {
  MpmcRing<int, 4> ring;
  int value = 0;
  for (int round = 0; round < 3; ++round) {
    CHECK(!ring.pop(&value));
    for (int i = 0; i < 4; ++i) CHECK(ring.push(i));
    CHECK(ring.full());
    CHECK(!ring.push(4));
    for (int i = 0; i < 4; ++i) {
      CHECK(ring.pop(&value));
      CHECK_EQ(value, i);
    }
  }
}

// A group with its acceptor on a thread.
struct Accepting {
  Accepting(uint32_t threads, Balance balance) : group(std::make_shared<Group>(threads, balance)) {
    SocketAddress address;
    SocketAddress::fromIp("127.0.0.1", 0, &address);
    const SocketResult opened = group->listen(address, {}, &listener);
    CHECK(opened.fd >= 0);
    port = group->address(listener).port;
    if (balance == Balance::kReusePort) return;
    thread = std::thread([this] { group->accept(sockets); });
  }
  ~Accepting() { stop(); }
  void stop() {
    group->stopAccepting();
    if (thread.joinable()) thread.join();
  }
  std::shared_ptr<AcceptSource> mailbox(uint32_t of) {
    return {group, &group->mailbox(listener, of)};
  }
  std::shared_ptr<LoopCounters> counters(uint32_t of) { return {group, &group->counters(of)}; }

  SocketCalls sockets;
  std::shared_ptr<Group> group;
  uint32_t listener = 0;
  uint16_t port = 0;
  std::thread thread;
};

// An echo server on a loop of its own thread.
struct Served {
  std::string refused;
  std::atomic<bool> ready{false};
  std::atomic<bool> over{false};
  std::atomic<uint32_t> opened{0};
};

void serve(RealEngine engine, Accepting* on, uint32_t of, Served* served) {
  Real real(engine);
  served->refused = real.start();
  if (served->refused.empty()) {
    real.js->loop.countIn(on->counters(of));
    real.js->loop.takeFrom(on->mailbox(of), {}, &real.endpoint);
    real.js->handler = [&](const Event& event) {
      if (event.kind == EventKind::kOpen) ++served->opened;
      if (event.kind == EventKind::kData) real.js->writeFrom(event.name, event);
      if (event.kind == EventKind::kEnd) real.js->command(CommandKind::kEnd, event.name);
    };
  }
  served->ready = true;
  while (served->refused.empty() && !served->over) real.js->turn(kLongWaitNs);
  real.js->loop.stop();
}

// Whether the answer came soon.
bool echoes(Peer& talks, const std::string& message) {
  const auto deadline = std::chrono::steady_clock::now() + kSoon;
  size_t sent = 0;
  std::string answer;
  while (answer.size() < message.size() && std::chrono::steady_clock::now() < deadline) {
    if (sent < message.size()) sent += talks.write(message, sent);
    answer += talks.read();
    std::this_thread::yield();
  }
  return answer == message;
}

void serveTwo(RealEngine engine, Balance balance, uint32_t* spread) {
  constexpr uint32_t kPeers = 24;
  Accepting on(2, balance);
  Served served[2];
  std::thread threads[2];
  for (uint32_t i = 0; i < 2; ++i) threads[i] = std::thread(serve, engine, &on, i, &served[i]);
  while (!served[0].ready || !served[1].ready) std::this_thread::yield();
  const bool runs = served[0].refused.empty();
  uint32_t wrong = 0;
  {
    std::vector<std::unique_ptr<Peer>> peers;
    for (uint32_t i = 0; runs && i < kPeers; ++i) {
      peers.push_back(std::make_unique<Peer>(on.port));
      if (!echoes(*peers[i], patternOf(1000, i))) ++wrong;
    }
    for (uint32_t i = 0; runs && i < kPeers; ++i) {
      if (!echoes(*peers[i], patternOf(3000, i))) ++wrong;
    }
    for (uint32_t i = 0; i < 2; ++i) {
      spread[i] = served[i].opened;
      served[i].over = true;
    }
  }
  // Both may wait, and peers of both may have gone, or not.
  for (uint32_t i = 0; i < 2; ++i) {
    static_cast<Mailbox&>(on.group->mailbox(on.listener, i)).wake().signal();
  }
  for (auto& thread : threads) thread.join();
  if (!runs) SKIP(served[0].refused);
  CHECK_EQ(wrong, 0u);
  CHECK_EQ(spread[0] + spread[1], kPeers);
  CHECK_EQ(on.group->counters(0).connections.load(), 0u);
  CHECK_EQ(on.group->counters(1).connections.load(), 0u);
}

EACH_ENGINE(group_hands_connections_to_loops_in_turn) {
  uint32_t spread[2] = {};
  serveTwo(engine, Balance::kRoundRobin, spread);
  if (spread[0] + spread[1] > 0) CHECK_EQ(spread[0], spread[1]);
}

EACH_ENGINE(group_hands_connections_to_the_loop_that_has_fewest) {
  uint32_t spread[2] = {};
  serveTwo(engine, Balance::kLeastConnections, spread);
  if (spread[0] + spread[1] > 0) CHECK_EQ(spread[0], spread[1]);
}

EACH_ENGINE(group_lets_loops_take_connections_from_one_queue) {
  uint32_t spread[2] = {};
  serveTwo(engine, Balance::kQueue, spread);
  // Loops that have nothing to do share: neither has everything.
  if (spread[0] + spread[1] > 0) CHECK(spread[0] > 0 && spread[1] > 0);
}

TEST(group_keeps_connections_for_the_thread_that_comes_next) {
  Accepting on(1, Balance::kRoundRobin);
  Peer early(on.port);
  Real real(RealEngine::kPoll);
  START_OR_SKIP(real);
  real.js->loop.countIn(on.counters(0));
  real.js->loop.takeFrom(on.mailbox(0), {}, &real.endpoint);
  uint32_t opened = 0;
  real.js->handler = [&](const Event& event) { opened += event.kind == EventKind::kOpen ? 1 : 0; };
  CHECK(real.until([&] { return opened == 1; }));
}

TEST(group_gives_what_a_lost_thread_has_not_taken_to_another) {
  Accepting on(2, Balance::kRoundRobin);
  auto lost = std::make_unique<Real>(RealEngine::kPoll);
  START_OR_SKIP(*lost);
  lost->js->loop.countIn(on.counters(0));
  lost->js->loop.takeFrom(on.mailbox(0), {}, &lost->endpoint);
  Peer first(on.port);
  Peer second(on.port);
  const auto deadline = std::chrono::steady_clock::now() + kSoon;
  while (on.group->held(0) < 2 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  CHECK_EQ(on.group->held(0), 2u);
  Real other(RealEngine::kPoll);
  START_OR_SKIP(other);
  other.js->loop.countIn(on.counters(1));
  other.js->loop.takeFrom(on.mailbox(1), {}, &other.endpoint);
  lost.reset();
  uint32_t opened = 0;
  other.js->handler = [&](const Event& event) { opened += event.kind == EventKind::kOpen ? 1 : 0; };
  CHECK(other.until([&] { return opened == 2; }));
  CHECK_EQ(on.group->held(0), 0u);
}

TEST(group_does_not_accept_more_than_mailboxes_hold) {
  Accepting on(1, Balance::kRoundRobin);
  Mailbox& mailbox = static_cast<Mailbox&>(on.group->mailbox(on.listener, 0));
  // As if a thread had been stuck for long.
  std::vector<int> fill;
  for (int fd = 0; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) {
    if (!mailbox.ring().push(fd)) {
      ::close(fd);
      break;
    }
  }
  if (!mailbox.ring().full()) SKIP("too few descriptors");
  mailbox.joined();
  Peer waits(on.port);
  CHECK_EQ(on.group->accepted(), 0u);
  for (uint32_t i = 0; i < kMailboxSockets; ++i) ::close(mailbox.take());
  int fd = -1;
  const auto deadline = std::chrono::steady_clock::now() + kSoon;
  while (fd < 0 && std::chrono::steady_clock::now() < deadline) fd = mailbox.take();
  CHECK(fd >= 0);
  if (fd >= 0) ::close(fd);
  mailbox.left();
}

TEST(group_that_stops_hands_over_who_waits_in_the_kernel) {
  Accepting on(1, Balance::kQueue);
  on.mailbox(0)->joined();
  Peer one(on.port);
  Peer two(on.port);
  on.stop();
  CHECK_EQ(on.group->held(0), 2u);
  CHECK_EQ(on.group->accepted(), 2u);
}

TEST(group_with_a_socket_for_each_thread_keeps_them_open) {
  Accepting on(2, Balance::kReusePort);
  const int first = on.group->share(on.listener, 0);
  const int second = on.group->share(on.listener, 1);
  CHECK(first >= 0 && second >= 0 && first != second);
  CHECK_EQ(localAddress(first).port, on.port);
  CHECK_EQ(localAddress(second).port, on.port);
  ::close(first);
  ::close(second);
  // The thread is gone, its socket is not.
  Peer peer;
  CHECK_EQ(peer.connect(on.port) == 0 || errno == EINPROGRESS, true);
}

}  // namespace
