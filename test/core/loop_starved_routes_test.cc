// Connections that change engine just when the ring has no buffer left for them.
#include "real_fixture.h"

namespace {

using namespace test;

TEST(loop_moves_connections_that_have_just_run_out_of_provided_buffers) {
  constexpr size_t kPeers = 32;
  LoopOptions options = optionsFor(RealEngine::kRingCompletion);
  options.engine = EngineChoice::kHybrid;
  Real real(RealEngine::kRingCompletion, options);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  uint32_t heard = 0;
  real.js->handler = [&](const Event& event) {
    notes.note(event);
    if (event.kind == EventKind::kEnd) real.js->command(CommandKind::kEnd, event.name);
    if (event.kind != EventKind::kData) return;
    // To epoll and back, so that the end of the one receive meets the beginning of the other.
    const auto hint = ++heard % 3 == 0 ? ReceiveHint::kCompletion : ReceiveHint::kPoll;
    for (const auto& [name, connection] : notes.connections) {
      real.js->command(CommandKind::kRoute, name, static_cast<uint32_t>(hint));
    }
  };
  std::vector<Peer> peers;
  for (size_t i = 0; i < kPeers; ++i) peers.emplace_back(real.port);
  CHECK(real.until([&] { return notes.opened == kPeers; }));
  const std::string all = patternOf(1'000'000, 3);
  std::vector<size_t> sent(kPeers);
  CHECK(real.until([&] {
    bool everything = true;
    for (size_t i = 0; i < kPeers; ++i) {
      if (sent[i] < all.size()) sent[i] += peers[i].write(all, sent[i]);
    }
    for (const auto& [name, connection] : notes.connections) {
      everything = everything && connection.bytes.size() == all.size();
    }
    return everything;
  }));
  for (const auto& [name, connection] : notes.connections) CHECK(connection.bytes == all);
  CHECK(real.js->loop.metrics().bufferExhaustions > 0);
  for (Peer& peer : peers) peer.close();
  CHECK(real.until([&] { return notes.closed == kPeers; }));
  CHECK_EQ(real.js->loop.live(), 1u);
}

// Receives that are armed get the buffers that come back before those that found none.
TEST(loop_hears_a_quiet_peer_beside_others_that_take_all_provided_buffers) {
  constexpr size_t kPeers = 24;
  constexpr int kMessages = 6;
  constexpr int kTurnsMax = 80;  // for one message
  Real real(RealEngine::kRingCompletion, optionsFor(RealEngine::kRingCompletion));
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  uint32_t heard = 0;
  real.js->handler = [&](const Event& event) {
    notes.note(event);
    if (event.bytes == "quiet") ++heard;
  };
  std::vector<Peer> peers;
  for (size_t i = 0; i < kPeers; ++i) peers.emplace_back(real.port);
  Peer quiet(real.port);
  CHECK(real.until([&] { return notes.opened == kPeers + 1; }));
  const std::string flood(1 << 20, 'x');
  for (int i = 0; i < kMessages; ++i) {
    quiet.write("quiet", 0);
    int turns = 0;
    while (heard == static_cast<uint32_t>(i) && turns < kTurnsMax) {
      for (Peer& peer : peers) peer.write(flood, 0);
      real.js->turn();
      ++turns;
    }
    CHECK_EQ(heard, static_cast<uint32_t>(i) + 1);
  }
  CHECK(real.js->loop.metrics().bufferExhaustions > 0);
}

}  // namespace
