// The loop on the kernel's own epoll and io_uring, by both routes of the ring.
#include <sys/resource.h>
#include <sys/un.h>

#include <chrono>
#include <cstring>

#include "real_fixture.h"

namespace {

using namespace test;

// A server that sends back what it receives, from where it lies.
void echo(Real& real, Notes& notes) {
  real.js->handler = [&](const Event& event) {
    notes.note(event);
    if (event.kind == EventKind::kData) real.js->writeFrom(event.name, event);
    if (event.kind == EventKind::kEnd) real.js->command(CommandKind::kEnd, event.name);
  };
}
void observe(Real& real, Notes& notes) {
  real.js->handler = [&notes](const Event& event) { notes.note(event); };
}
// The loop's own blocks: staging, the warm receive block, the one that small copies share, and
// those that the ring provides.
void expectNothingHeld(Real& real, RealEngine engine) {
  const uint32_t own = 3 + (engine == RealEngine::kRingCompletion ? kProvidedBuffers : 0);
  CHECK(real.js->loop.arenaStats().outstanding <= own);
}

EACH_ENGINE(loop_echoes_small_messages_one_by_one) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  echo(real, notes);
  Peer peer(real.port);
  for (int i = 0; i < 200; ++i) {
    const std::string message = patternOf(static_cast<size_t>(1 + i * 7), static_cast<uint64_t>(i));
    CHECK_EQ(peer.write(message), message.size());
    std::string answer;
    CHECK(real.until([&] { return (answer += peer.read()).size() >= message.size(); }));
    CHECK(answer == message);
  }
  peer.shutdown();
  CHECK(real.until([&] { return notes.closed == 1; }));
  peer.read();
  CHECK(peer.ended && !notes.afterClose);
  CHECK_EQ(notes.connections[notes.last].error(), 0);
  CHECK_EQ(real.js->loop.live(), 1u);
  expectNothingHeld(real, engine);
}

EACH_ENGINE(loop_echoes_megabytes_that_come_and_go_in_any_pieces) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  echo(real, notes);
  Peer peer(real.port);
  const std::string all = patternOf(6'000'000, 5);
  std::string answer;
  size_t sent = 0;
  CHECK(real.until([&] {
    if (sent < all.size()) sent += peer.write(all, sent);
    answer += peer.read(100'000);
    if (sent == all.size()) peer.shutdown();
    return peer.ended;
  }));
  CHECK(answer == all);
  CHECK(real.until([&] { return notes.closed == 1; }));
  CHECK_EQ(notes.connections[notes.last].error(), 0);
  expectNothingHeld(real, engine);
}

EACH_ENGINE(loop_waits_for_the_peer_to_read_and_then_tells) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  observe(real, notes);
  Peer peer(real.port);
  CHECK(real.until([&] { return notes.opened == 1; }));
  const std::string all = patternOf(12'000'000, 6);
  real.js->write(notes.last, all);
  real.js->command(CommandKind::kWantDrain, notes.last, 1000);
  real.js->command(CommandKind::kEnd, notes.last);
  real.js->turn();
  CHECK(real.js->host.pending[notes.last.slot] > 0);
  std::string answer;
  CHECK(real.until([&] {
    answer += peer.read(60'000);
    return peer.ended;
  }));
  CHECK(answer == all);
  CHECK(notes.connections[notes.last].has(EventKind::kDrain));
  CHECK_EQ(real.js->host.pending[notes.last.slot], 0.0);
  peer.close();
  CHECK(real.until([&] { return notes.closed == 1; }));
  expectNothingHeld(real, engine);
}

EACH_ENGINE(loop_goes_on_sending_after_the_peers_fin) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  observe(real, notes);
  Peer peer(real.port);
  peer.write("question");
  peer.shutdown();
  CHECK(real.until([&] { return notes.connections[notes.last].has(EventKind::kEnd); }));
  CHECK(notes.connections[notes.last].bytes == "question");
  const std::string answer = patternOf(2'000'000, 8);
  real.js->write(notes.last, answer);
  real.js->command(CommandKind::kEnd, notes.last);
  std::string received;
  CHECK(real.until([&] {
    received += peer.read();
    return peer.ended;
  }));
  CHECK(received == answer);
  CHECK(real.until([&] { return notes.closed == 1; }));
  CHECK_EQ(notes.connections[notes.last].error(), 0);
}

EACH_ENGINE(loop_tells_of_the_peers_reset) {
#ifdef RINGPOLL_LIBKQUEUE
  if (engine == RealEngine::kKqueue) SKIP("libkqueue takes the socket's error for itself");
#endif
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  observe(real, notes);
  Peer peer(real.port);
  CHECK(real.until([&] { return notes.opened == 1; }));
  peer.reset();
  CHECK(real.until([&] { return notes.closed == 1; }));
  CHECK_EQ(notes.connections[notes.last].error(), ECONNRESET);
  CHECK(!notes.afterClose);
}

EACH_ENGINE(loop_resets_on_command_without_a_fin) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  observe(real, notes);
  Peer peer(real.port);
  CHECK(real.until([&] { return notes.opened == 1; }));
  real.js->command(CommandKind::kReset, notes.last);
  CHECK(real.until([&] {
    peer.read();
    return notes.closed == 1 && (peer.ended || peer.error != 0);
  }));
  CHECK_EQ(peer.error, ECONNRESET);
  CHECK_EQ(notes.connections[notes.last].error(), 0);
}

EACH_ENGINE(loop_closes_with_a_send_and_a_receive_under_way) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  observe(real, notes);
  for (const CommandKind how : {CommandKind::kDestroy, CommandKind::kReset}) {
    Peer peer(real.port);
    const uint32_t before = notes.closed;
    CHECK(real.until([&] { return notes.opened == before + 1; }));
    real.js->write(notes.last, patternOf(12'000'000, 9));  // more than the sockets hold
    real.js->turn();
    peer.write("never seen");
    real.js->command(how, notes.last);
    CHECK(real.until([&] { return notes.closed == before + 1; }));
    CHECK(real.until([&] {
      peer.read();
      return peer.ended || peer.error != 0;
    }));
  }
  CHECK(!notes.afterClose);
  expectNothingHeld(real, engine);
}

EACH_ENGINE(loop_delivers_nothing_during_a_pause_and_everything_after_it) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  observe(real, notes);
  Peer peer(real.port);
  CHECK(real.until([&] { return notes.opened == 1; }));
  const std::string all = patternOf(1'000'000, 3);
  size_t sent = 0;
  std::string& received = notes.connections[notes.last].bytes;
  for (int round = 0; round < 50; ++round) {
    real.js->command(CommandKind::kPause, notes.last);
    real.js->turn();
    real.js->turn();  // the ring's cancel has completed
    const size_t before = received.size();
    sent += peer.write(all.substr(0, sent + 5'000), sent);
    for (int i = 0; i < 3; ++i) real.js->turn();
    CHECK_EQ(received.size(), before);
    real.js->command(CommandKind::kResume, notes.last);
    CHECK(real.until([&] { return received.size() == sent; }));
    real.js->command(CommandKind::kPause, notes.last);  // taken back at once
    real.js->command(CommandKind::kResume, notes.last);
    real.js->turn();
    real.js->turn();
    sent += peer.write(all.substr(0, sent + 1'000), sent);
    CHECK(real.until([&] { return received.size() == sent; }));
  }
  CHECK(received == all.substr(0, sent));
  real.js->command(CommandKind::kPause, notes.last);
  real.js->turn();
  peer.shutdown();
  for (int i = 0; i < 5; ++i) real.js->turn();
  CHECK(!notes.connections[notes.last].has(EventKind::kEnd));
  real.js->command(CommandKind::kResume, notes.last);
  CHECK(real.until([&] { return notes.connections[notes.last].has(EventKind::kEnd); }));
}

EACH_ENGINE(loop_wakes_at_once_when_something_arrives) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  observe(real, notes);
  const auto start = std::chrono::steady_clock::now();
  constexpr int64_t kLongNs = 20'000'000'000;
  Peer peer(real.port);
  while (notes.opened == 0) real.js->turn(kLongNs);
  for (int i = 0; i < 20; ++i) {
    const size_t before = notes.connections[notes.last].bytes.size();
    peer.write("ping");
    while (notes.connections[notes.last].bytes.size() == before) real.js->turn(kLongNs);
  }
  peer.shutdown();
  while (!notes.connections[notes.last].has(EventKind::kEnd)) real.js->turn(kLongNs);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}

EACH_ENGINE(loop_tells_of_a_foreign_descriptor_each_time_it_is_ready) {
  Real real(engine);
  START_OR_SKIP(real);
  int ends[2];
  CHECK_EQ(::pipe(ends), 0);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  real.js->loop.watchForeign(ends[0]);
  real.js->turn();
  CHECK(!real.js->loop.foreignReady());
  for (int i = 0; i < 10; ++i) {
    CHECK_EQ(::write(ends[1], "x", 1), 1);
    bool ready = false;
    CHECK(real.until([&] { return ready = ready || real.js->loop.foreignReady(); }));
    char byte;
    CHECK_EQ(::read(ends[0], &byte, 1), 1);
    real.js->turn();
  }
  real.js->loop.stop();
  ::close(ends[0]);
  ::close(ends[1]);
}

EACH_ENGINE(loop_connects_to_a_listener_and_is_refused_without_one) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  observe(real, notes);
  const Name good = real.connect(real.port);
  CHECK(real.until([&] { return notes.opened == 2; }));  // both ends are ours
  CHECK(notes.connections[good].has(EventKind::kConnected));
  real.js->write(good, "through the kernel and back");
  CHECK(real.until([&] {
    return notes.connections.rbegin()->second.bytes.size() == 27 ||
           notes.connections.begin()->second.bytes.size() == 27;
  }));
  real.js->loop.closeListener(real.endpoint, false);
  CHECK(real.until([&] { return notes.listenerClosed; }));
  const Name refused = real.connect(real.port, 10'000);
  CHECK(real.until([&] { return notes.connections[refused].closed(); }));
  CHECK_EQ(notes.connections[refused].error(), ECONNREFUSED);
  real.js->command(CommandKind::kDestroy, good);
  CHECK(real.until([&] { return real.js->loop.live() == 1; }));  // our own other end
}

EACH_ENGINE(loop_serves_unix_sockets_with_abstract_names) {
#ifndef __linux__
  SKIP("abstract names are Linux's");
#endif
  Real real(engine);
  START_OR_SKIP(real);
  const std::string path =
      std::string(1, '\0') + "ringpoll-core-test-" + std::to_string(::getpid());
  SocketAddress address;
  CHECK(SocketAddress::fromPath(path, &address));
  const SocketResult opened = real.js->loop.listen(address, {}, {}, &real.endpoint);
  CHECK(opened.fd >= 0);
  CHECK(localAddress(opened.fd).address == path);
  Notes notes;
  echo(real, notes);
  Peer peer;
  CHECK_EQ(peer.connectTo(address), 0);
  const std::string all = patternOf(800'000, 2);
  std::string answer;
  size_t sent = 0;
  CHECK(real.until([&] {
    if (sent < all.size()) sent += peer.write(all, sent);
    answer += peer.read();
    return answer.size() == all.size();
  }));
  CHECK(answer == all);
  peer.shutdown();
  CHECK(real.until([&] { return notes.closed == 1; }));
}

EACH_ENGINE(loop_accepts_thousands_and_forgets_none) {
  constexpr uint32_t kConnections = 2'000;
  rlimit limit;
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < 2 * kConnections + 100) SKIP("too few descriptors allowed (ulimit -n)");
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  echo(real, notes);
  std::vector<Peer> peers;
  for (uint32_t i = 0; i < kConnections; ++i) {
    peers.emplace_back(real.port);
    if (i % 100 == 99) real.js->turn();  // the listener's queue is not that long
  }
  CHECK(real.until([&] { return notes.opened == kConnections; }));
  for (uint32_t i = 0; i < kConnections; ++i) peers[i].write("number " + std::to_string(i));
  uint32_t answered = 0;
  std::vector<std::string> answers(kConnections);
  CHECK(real.until([&] {
    for (uint32_t i = 0; i < kConnections; ++i) {
      const bool before = answers[i].empty();
      answers[i] += peers[i].read();
      if (before && !answers[i].empty()) ++answered;
    }
    return answered == kConnections;
  }));
  for (uint32_t i = 0; i < kConnections; ++i) CHECK(answers[i] == "number " + std::to_string(i));
  for (uint32_t i = 0; i < kConnections; ++i) {
    if (i % 3 == 0) {
      peers[i].reset();
    } else {
      peers[i].close();
    }
  }
  CHECK(real.until([&] { return notes.closed == kConnections; }));
  CHECK(!notes.afterClose);
  CHECK_EQ(real.js->loop.live(), 1u);
  expectNothingHeld(real, engine);
}

EACH_ENGINE(loop_gets_by_without_descriptors_and_accepts_when_some_are_free) {
  Real real(engine);
  START_OR_SKIP(real);
  Notes notes;
  echo(real, notes);
  std::vector<Peer> peers(10);
  for (Peer& peer : peers) peer.open();
  rlimit before;
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(peers.back().fd() + 1 + 4);
  ::setrlimit(RLIMIT_NOFILE, &tight);
  real.listen();  // takes one; the ring notes the limit when it begins to accept
  for (Peer& peer : peers) {
    peer.connect(real.port);
    peer.write("let me in");
  }
  const bool refused = real.until([&] { return !notes.acceptErrors.empty(); });
  const uint32_t openedThen = notes.opened;
  // Those that are served go, and make room for the rest.
  std::vector<bool> served(peers.size());
  const bool all = real.until([&] {
    for (size_t i = 0; i < peers.size(); ++i) {
      if (served[i] || peers[i].read().empty()) continue;
      served[i] = true;
      peers[i].shutdown();
    }
    return std::count(served.begin(), served.end(), true) == static_cast<long>(peers.size());
  });
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(refused);
  CHECK_EQ(notes.acceptErrors[0], EMFILE);
  CHECK(openedThen < peers.size());
  CHECK(all);
  CHECK(real.until([&] { return notes.closed == peers.size(); }));
}

EACH_ENGINE(loop_stops_in_the_middle_of_everything) {
  LoopFixture* fixture;
  Real real(engine);
  START_OR_SKIP(real);
  fixture = real.js.get();
  real.listen();
  Notes notes;
  observe(real, notes);
  std::vector<Peer> peers;
  for (int i = 0; i < 20; ++i) peers.emplace_back(real.port);
  CHECK(real.until([&] { return notes.opened == 20; }));
  for (auto& [name, connection] : notes.connections) {
    fixture->write(name, patternOf(6'000'000, 1));
  }
  fixture->turn();
  for (Peer& peer : peers) peer.write(patternOf(50'000, 2));
  real.connect(real.port);
  fixture->loop.flush();
  CHECK(fixture->loop.stop());
  CHECK(fixture->loop.stop());  // a second time does nothing
  for (Peer& peer : peers) {
    while (!peer.ended && peer.error == 0) {
      pollfd wait{peer.fd(), POLLIN, 0};
      CHECK(::poll(&wait, 1, 10'000) == 1);
      peer.read();
    }
  }
}

// --- the ring's own ---

// Every provided buffer is retained, and there is no memory for others.
EACH_ENGINE(loop_loses_nothing_when_all_receive_memory_is_retained) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  std::vector<Event> kept;
  std::map<Name, std::string> received;
  uint32_t opened = 0;
  real.js->handler = [&](const Event& event) {
    if (event.kind == EventKind::kOpen) ++opened;
    if (event.kind != EventKind::kData) return;
    received[event.name] += event.bytes;
    real.js->retain(event);
    kept.push_back(event);
  };
  constexpr size_t kPeers = 8;
  std::vector<Peer> peers;
  for (size_t i = 0; i < kPeers; ++i) peers.emplace_back(real.port);
  CHECK(real.until([&] { return opened == kPeers; }));
  real.js->turn();
  real.js->host.slabs.slabsMax = real.js->host.slabs.slabsHeld;
  const std::string all = patternOf(2'000'000, 4);
  std::vector<size_t> sent(kPeers);
  const auto total = [&received] {
    size_t bytes = 0;
    for (const auto& [name, each] : received) bytes += each.size();
    return bytes;
  };
  size_t before = 0;
  // Writes until nothing gets through any more.
  for (int quiet = 0; quiet < 20; ++quiet) {
    for (size_t i = 0; i < kPeers; ++i) sent[i] += peers[i].write(all, sent[i]);
    real.js->turn(1'000'000);
    if (total() != before) quiet = 0;
    before = total();
  }
  CHECK(before < kPeers * all.size());
  for (const Event& event : kept) CHECK(real.js->bytesOf(event) == event.bytes);
  // Now everything is given back as it comes.
  CHECK(real.until([&] {
    for (const Event& event : kept) real.js->release(event);
    kept.clear();
    for (size_t i = 0; i < kPeers; ++i) {
      if (sent[i] < all.size()) sent[i] += peers[i].write(all, sent[i]);
    }
    return total() == kPeers * all.size();
  }));
  for (const auto& [name, each] : received) CHECK(each == all);
}

EACH_ENGINE(loop_loses_nothing_with_a_tiny_completion_queue) {
  LoopOptions options = optionsFor(engine);
  options.completionEntries = 8;
  Real real(engine, options);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  echo(real, notes);
  constexpr size_t kPeers = 100;
  std::vector<Peer> peers;
  for (size_t i = 0; i < kPeers; ++i) peers.emplace_back(real.port);
  CHECK(real.until([&] { return notes.opened == kPeers; }));
  std::vector<std::string> answers(kPeers);
  for (int round = 0; round < 20; ++round) {
    for (size_t i = 0; i < kPeers; ++i) {
      answers[i].clear();
      peers[i].write("message " + std::to_string(i * 1000 + static_cast<size_t>(round)));
    }
    CHECK(real.until([&] {
      bool all = true;
      for (size_t i = 0; i < kPeers; ++i) {
        answers[i] += peers[i].read();
        const auto expected = "message " + std::to_string(i * 1000 + static_cast<size_t>(round));
        all = all && answers[i] == expected;
      }
      return all;
    }));
  }
  for (Peer& peer : peers) peer.close();
  CHECK(real.until([&] { return notes.closed == kPeers; }));
  const bool ring = engine == RealEngine::kRingReadiness || engine == RealEngine::kRingCompletion;
  if (ring) CHECK(real.js->loop.metrics().ringOverflows > 0);
}

// --- both engines at once ---

TEST(loop_serves_connections_of_its_second_engine) {
  LoopOptions options = optionsFor(RealEngine::kRingReadiness);
  options.engine = EngineChoice::kHybrid;
  Real real(RealEngine::kRingReadiness, options);
  START_OR_SKIP(real);
  CHECK_EQ(std::string(real.js->loop.engineName()), std::string("hybrid"));
  Endpoint settings;
  settings.hint = EngineHint::kPoll;
  real.listen(settings);
  Notes notes;
  observe(real, notes);
  Peer peer(real.port);
  CHECK(real.until([&] { return notes.opened == 1; }));
  std::string& received = notes.connections[notes.last].bytes;
  std::string all;
  for (int round = 0; round < 20; ++round) {
    all += patternOf(20'000, static_cast<uint64_t>(round));
    real.js->command(CommandKind::kPause, notes.last);
    real.js->turn();
    CHECK_EQ(peer.write(all, received.size()), 20'000u);
    for (int i = 0; i < 3; ++i) real.js->turn();
    CHECK(received.size() < all.size());
    // The edge has been seen during the pause, and there will be no other.
    real.js->command(CommandKind::kResume, notes.last);
    CHECK(real.until([&] { return received.size() == all.size(); }));
  }
  CHECK(received == all);
  real.js->write(notes.last, patternOf(12'000'000, 1));
  real.js->command(CommandKind::kClose, notes.last);
  std::string answer;
  CHECK(real.until([&] {
    answer += peer.read();
    return peer.ended;
  }));
  CHECK(answer == patternOf(12'000'000, 1));
}

}  // namespace
