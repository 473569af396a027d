// Faults that a test asks for: bytes stay whole and in order, and no block is kept.
#include <unistd.h>

#include "real_fixture.h"

namespace {

using namespace test;

EACH_ENGINE(loop_faults_keep_streams_whole) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  FaultPlan plan;
  plan.shortReads = plan.shortWrites = 0.5;
  plan.enobufs = plan.delays = 0.1;
  plan.delayMinMs = 0;
  plan.delayMaxMs = 3;
  plan.seed = 15;
  real.js->loop.setFaults(&plan);
  Notes notes;
  real.js->handler = [&](const Event& event) {
    notes.note(event);
    if (event.kind == EventKind::kData) real.js->write(event.name, event.bytes);
    if (event.kind == EventKind::kEnd) real.js->command(CommandKind::kEnd, event.name);
  };
  constexpr size_t kPeers = 5;
  constexpr size_t kBytes = 60'000;
  std::vector<Peer> peers;
  std::vector<size_t> written(kPeers);
  std::vector<std::string> echoed(kPeers);
  for (size_t i = 0; i < kPeers; ++i) peers.emplace_back(real.port);
  const auto move = [&]() -> bool {
    bool over = true;
    for (size_t i = 0; i < kPeers; ++i) {
      Peer& peer = peers[i];
      if (written[i] < kBytes) {
        written[i] += peer.write(patternOf(kBytes, i).substr(written[i], 1500));
        if (written[i] == kBytes) peer.shutdown();
      }
      echoed[i] += peer.read();
      over = over && peer.ended;
    }
    return over;
  };
  CHECK(real.until(move));
  for (size_t i = 0; i < kPeers; ++i) CHECK(echoed[i] == patternOf(kBytes, i));
  const FaultCounts counts = real.js->loop.faultCounts();
  CHECK(counts.shortReads > 0 && counts.shortWrites > 0);
  CHECK(counts.enobufs > 0 && counts.delays > 0);
  CHECK(real.until([&] { return notes.closed == kPeers; }));
  CHECK(!notes.afterClose);
}

EACH_ENGINE(loop_faults_give_what_waits_to_whoever_takes_the_socket) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  FaultPlan plan;
  plan.delays = 1;
  plan.delayMinMs = plan.delayMaxMs = 60'000;
  real.js->loop.setFaults(&plan);
  Notes notes;
  real.js->handler = [&](const Event& event) { notes.note(event); };
  Peer peer(real.port);
  peer.write("held");
  CHECK(real.until([&] { return real.js->loop.faultCounts().delays == 1; }));
  CHECK(notes.connections[notes.last].bytes.empty());
  Channel* channel = real.js->loop.find(notes.last.slot, notes.last.generation);
  CHECK(channel != nullptr);
  std::vector<uint8_t> received;
  const int fd = real.js->loop.release(*channel, &received);
  CHECK(fd >= 0);
  ::close(fd);
  CHECK_EQ(std::string(received.begin(), received.end()), std::string("held"));
  CHECK(real.until([&] { return notes.closed == 1; }));
}

EACH_ENGINE(loop_faults_reset_both_sides) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  FaultPlan plan;
  plan.resets = 1;
  real.js->loop.setFaults(&plan);
  Notes notes;
  real.js->handler = [&](const Event& event) { notes.note(event); };
  Peer peer(real.port);
  peer.write("lost");
  CHECK(real.until([&] { return notes.closed == 1; }));
  CHECK_EQ(notes.connections[notes.last].error(), ECONNRESET);
  CHECK(notes.connections[notes.last].bytes.empty());
  CHECK(real.until([&] {
    peer.read();
    return peer.error != 0;
  }));
  CHECK_EQ(peer.error, ECONNRESET);
  // None from now on.
  real.js->loop.setFaults(nullptr);
  Peer second(real.port);
  second.write("kept");
  CHECK(real.until([&] { return notes.connections[notes.last].bytes == "kept"; }));
}

}  // namespace
