// Connections that go from loop to loop, each on a thread, beside live traffic. Under
// ThreadSanitizer this finds what the loops share without leave.
#include <atomic>
#include <set>
#include <thread>

#include "core/handoff/group.h"
#include "random.h"
#include "real_fixture.h"

namespace {

using namespace test;

constexpr int64_t kWaitNs = 20'000'000;

struct Threads {
  explicit Threads(uint32_t count)
      : group(std::make_shared<Group>(count, Balance::kReusePort)), ports(count) {}

  std::shared_ptr<ArrivalSource> box(uint32_t of) { return {group, &group->box(of)}; }

  std::shared_ptr<Group> group;
  std::vector<std::atomic<uint16_t>> ports;
  std::atomic<bool> over{false};
  std::atomic<uint32_t> moved{0};
  std::atomic<uint32_t> stayed{0};
  std::atomic<uint32_t> open{0};
};

// An echo that gives connections away at random, with what it has not answered.
class Giving {
 public:
  Giving(RealEngine engine, Threads& all, uint32_t number, uint64_t seed)
      : real_(engine), all_(all), number_(number), random_(seed) {}

  std::string start() {
    const std::string refused = real_.start();
    if (!refused.empty()) return refused;
    real_.listen();
    loop().takeArrivals(all_.box(number_), {real_.endpoint});
    real_.js->handler = [this](const Event& event) { on(event); };
    all_.ports[number_] = real_.port;
    return "";
  }
  void run() {
    while (!all_.over) real_.js->turn(kWaitNs);
    loop().leaveArrivals();
    loop().stop();
  }

 private:
  Loop& loop() { return real_.js->loop; }

  void on(const Event& event) {
    switch (event.kind) {
      case EventKind::kOpen:
      case EventKind::kArrived:
        ++all_.open;
        break;
      case EventKind::kData:
        received(event);
        break;
      case EventKind::kLeft:
        left(event.name);
        break;
      case EventKind::kEnd:
        // One that is on its way is told of it again where it goes.
        if (leaving_.count(event.name) == 0) real_.js->command(CommandKind::kEnd, event.name);
        break;
      case EventKind::kClose:
        --all_.open;
        leaving_.erase(event.name);
        break;
      default:
        break;
    }
  }

  void received(const Event& event) {
    if (const auto found = leaving_.find(event.name); found != leaving_.end()) {
      found->second += event.bytes;
      return;
    }
    if (random_.oneIn(3)) {
      if (random_.oneIn(2)) real_.js->command(CommandKind::kPause, event.name);
      if (loop().letGo(*real_.js->channel(event.name)) == 0) {
        leaving_[event.name] = event.bytes;
        return;
      }
      real_.js->command(CommandKind::kResume, event.name);
    }
    real_.js->write(event.name, event.bytes);
  }

  void left(Name name) {
    Channel* channel = real_.js->channel(name);
    if (channel == nullptr || channel->state != ChannelState::kOpen) return;
    const std::string unread = leaving_[name];
    leaving_.erase(name);
    if (random_.oneIn(8)) {  // it was thought better of
      loop().stay(*channel);
      real_.js->write(name, unread);
      real_.js->command(CommandKind::kResume, name);
      ++all_.stayed;
      return;
    }
    auto arrival = std::make_unique<Arrival>(duplicate(channel->fd), 0);
    arrival->unread.assign(unread.begin(), unread.end());
    const auto to = static_cast<uint32_t>(random_.below(all_.group->threads()));
    if (all_.group->box(to).post(arrival) == Posting::kTaken) {
      loop().leave(*channel);
      ++all_.moved;
      return;
    }
    loop().stay(*channel);
    real_.js->write(name, unread);
    real_.js->command(CommandKind::kResume, name);
  }

  Real real_;
  Threads& all_;
  const uint32_t number_;
  Random random_;
  std::map<Name, std::string> leaving_;
};

struct Talk {
  explicit Talk(uint16_t port, uint64_t of, size_t bytes)
      : peer(port), sends(patternOf(bytes, of)) {}
  Peer peer;
  std::string sends;
  size_t sent = 0;
  std::string answer;
  bool over() const { return answer.size() == sends.size(); }
};

EACH_ENGINE(connections_go_from_loop_to_loop_beside_traffic_and_lose_no_byte) {
  constexpr uint32_t kThreads = 3;
  constexpr uint32_t kTalks = 24;
  constexpr uint64_t kSeed = 20261127;
  Threads all(kThreads);
  std::string refused[kThreads];
  std::atomic<uint32_t> ready{0};
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Giving giving(engine, all, i, kSeed + i);
      refused[i] = giving.start();
      ++ready;
      if (refused[i].empty()) giving.run();
    });
  }
  while (ready < kThreads) std::this_thread::yield();
  const bool runs = refused[0].empty();
  uint32_t wrong = 0;
  if (runs) {
    Random random(kSeed);
    std::vector<std::unique_ptr<Talk>> talks;
    for (uint32_t i = 0; i < kTalks; ++i) {
      talks.push_back(std::make_unique<Talk>(all.ports[i % kThreads], i, 400'000));
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    const auto busy = [&] {
      for (const auto& talk : talks) {
        if (!talk->over() && !talk->peer.ended && talk->peer.error == 0) return true;
      }
      return false;
    };
    while (busy() && std::chrono::steady_clock::now() < deadline) {
      for (const auto& talk : talks) {
        const size_t end = std::min(talk->sends.size(), talk->sent + random.between(1, 20'000));
        if (talk->sent < talk->sends.size() && talk->sent < talk->answer.size() + 60'000) {
          talk->sent += talk->peer.write(talk->sends.substr(0, end), talk->sent);
        }
        talk->answer += talk->peer.read();
      }
    }
    for (const auto& talk : talks) {
      if (talk->answer != talk->sends || talk->peer.ended) ++wrong;
    }
    talks.clear();
    while (all.open > 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  }
  all.over = true;
  for (auto& thread : threads) thread.join();
  if (!runs) SKIP(refused[0]);
  CHECK_EQ(wrong, 0u);
  CHECK_EQ(all.open.load(), 0u);
  CHECK(all.moved > kTalks);
  CHECK(all.stayed > 0u);
}

TEST(box_without_a_loop_takes_nothing_and_a_full_one_neither) {
  TransferBox box;
  const auto made = [] { return std::make_unique<Arrival>(duplicate(0), 0); };
  std::unique_ptr<Arrival> arrival = made();
  CHECK(box.post(arrival) == Posting::kNobody);
  CHECK(arrival != nullptr);
  box.joined();
  for (uint32_t i = 0; i < kTransfersMax; ++i) {
    std::unique_ptr<Arrival> each = std::make_unique<Arrival>(-1, i);
    CHECK(box.post(each) == Posting::kTaken);
  }
  CHECK(box.post(arrival) == Posting::kFull);
  CHECK(arrival != nullptr);
  const std::unique_ptr<Arrival> taken = box.take();
  CHECK_EQ(taken->listener, 0u);
  CHECK(box.post(arrival) == Posting::kTaken);
  CHECK(arrival == nullptr);
  box.left();
}

EACH_ENGINE(connection_that_waits_for_a_thread_is_taken_when_one_comes) {
  Threads all(1);
  TransferBox& box = all.group->box(0);
  box.joined();  // a thread that ends before it takes
  int ends[2];
  CHECK_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  auto arrival = std::make_unique<Arrival>(ends[0], 0);
  const std::string unread = patternOf(3 * kBlockBytesMax / 2, 1);
  arrival->unread.assign(unread.begin(), unread.end());
  arrival->note = {1, 2, 3};
  CHECK(box.post(arrival) == Posting::kTaken);
  box.left();
  auto nobodys = std::make_unique<Arrival>(duplicate(ends[1]), 7);
  box.joined();
  CHECK(box.post(nobodys) == Posting::kTaken);
  box.left();
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  std::string note;
  real.js->handler = [&](const Event& event) {
    notes.note(event);
    if (event.kind == EventKind::kArrived) note = real.js->bytesOf(event);
  };
  CHECK(real.js->loop.takeArrivals(all.box(0), {real.endpoint}));
  CHECK_EQ(::send(ends[1], "and more", 8, 0), 8);
  CHECK(real.until([&] {
    return !notes.connections.empty() &&
           notes.connections.begin()->second.bytes.size() == unread.size() + 8;
  }));
  CHECK(notes.connections.begin()->second.bytes == unread + "and more");
  CHECK(notes.connections.begin()->second.kinds.front() == EventKind::kArrived);
  CHECK(note == std::string("\1\2\3"));
  // The one for a listener that is not there was closed.
  CHECK_EQ(notes.connections.size(), 1u);
  CHECK_EQ(real.js->loop.metrics().acceptDropped, 1u);
  CHECK_EQ(real.js->loop.metrics().arrived, 1u);
  ::close(ends[1]);
  CHECK(real.until([&] { return notes.connections.begin()->second.has(EventKind::kEnd); }));
}

EACH_ENGINE(released_socket_takes_along_what_is_under_way) {
  Random random(7);
  size_t underWay = 0;
  for (int round = 0; round < 20; ++round) {
    Real real(engine);
    START_OR_SKIP(real);
    real.listen();
    Notes notes;
    int away = -1;
    std::vector<uint8_t> received;
    uint32_t until = 0;
    real.js->handler = [&](const Event& event) {
      // Bytes of this delivery that come behind the release are the caller's to gather.
      notes.note(event);
      if (event.kind == EventKind::kData && away < 0 &&
          notes.connections[event.name].bytes.size() > until) {
        away = real.js->loop.release(*real.js->channel(event.name), &received);
      }
    };
    Peer peer(real.port);
    const std::string message = patternOf(600'000, static_cast<uint64_t>(round));
    until = static_cast<uint32_t>(random.below(150'000));
    size_t sent = 0;
    CHECK(real.until([&] {
      sent += peer.write(message, sent);
      return away >= 0;
    }));
    underWay += received.size();
    std::string all = notes.connections[notes.last].bytes;
    all.append(received.begin(), received.end());
    CHECK(real.until([&] {
      sent += peer.write(message, sent);
      char buffer[65536];
      const ssize_t n = ::recv(away, buffer, sizeof buffer, MSG_DONTWAIT);
      if (n > 0) all.append(buffer, static_cast<size_t>(n));
      return all.size() >= message.size();
    }));
    CHECK(all == message);
    CHECK_EQ(notes.connections[notes.last].error(), 0);
    ::close(away);
  }
  // The kernel had filled buffers that no turn had room for.
  if (engine == RealEngine::kRingCompletion) CHECK(underWay > 0);
}

// What the ring has received, and no turn has taken.
EACH_ENGINE(released_socket_takes_along_what_no_turn_has_seen) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  real.js->handler = [&](const Event& event) { notes.note(event); };
  Peer peer(real.port);
  Peer other(real.port);
  CHECK(real.until([&] { return notes.opened == 2; }));
  const Name name = notes.connections.begin()->first;
  for (int i = 0; i < 3; ++i) real.js->turn();
  const std::string message = patternOf(50'000, 3);
  CHECK_EQ(peer.write(message), message.size());
  CHECK_EQ(other.write(message), message.size());
  // Which of the two it is does not matter.
  std::vector<uint8_t> received;
  const int away = real.js->loop.release(*real.js->channel(name), &received);
  CHECK(away >= 0);
  std::string all(received.begin(), received.end());
  char buffer[65536];
  for (ssize_t n = 0; (n = ::recv(away, buffer, sizeof buffer, MSG_DONTWAIT)) > 0;) {
    all.append(buffer, static_cast<size_t>(n));
  }
  CHECK(all == message);
  // What came for the other one meanwhile is not lost.
  CHECK(real.until([&] { return notes.connections.rbegin()->second.bytes == message; }));
  CHECK(notes.connections[name].bytes.empty());
  ::close(away);
}

EACH_ENGINE(loop_that_stops_does_not_reset_a_connection_that_lingers) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  real.js->handler = [&](const Event& event) { notes.note(event); };
  Peer peer;
  peer.open();
  peer.setBuffers(16 * 1024);
  peer.connect(real.port);
  CHECK(real.until([&] { return notes.opened == 1; }));
  // Less than the two kernels hold together, and more than the peer's does.
  const std::string message = patternOf(150'000, 5);
  real.js->write(notes.last, message);
  real.js->command(CommandKind::kClose, notes.last);
  CHECK(real.until([&] { return real.js->channel(notes.last)->allSent(); }));
  for (int i = 0; i < 3; ++i) real.js->turn();
  CHECK_EQ(notes.closed, 0u);  // it lingers
  CHECK_EQ(peer.write("nobody reads this"), 17u);
  CHECK(real.js->loop.stop());
  std::string got;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!peer.ended && peer.error == 0 && std::chrono::steady_clock::now() < deadline) {
    got += peer.read();
  }
  CHECK_EQ(peer.error, 0);
  CHECK(peer.ended);
  CHECK(got == message);
}

}  // namespace
