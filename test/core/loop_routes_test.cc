// Connections that change engine and route while bytes come and go, on real engines.
#include "random.h"
#include "real_fixture.h"

namespace {

using namespace test;

LoopOptions hybrid() {
  LoopOptions options = optionsFor(RealEngine::kRingReadiness);
  options.engine = EngineChoice::kHybrid;
  options.receive = ReceiveHint::kAuto;
  return options;
}

std::string bytesFor(uint32_t round, size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>((round * 2654435761u + i * 40503u) >> 8);
  }
  return bytes;
}

uint64_t migrations(Real& real) {
  uint64_t sum = 0;
  for (const RouteStats& stats : real.js->loop.routing().stats) sum += stats.migrations;
  return sum;
}

TEST(loop_moves_a_connection_thousands_of_times_and_keeps_every_byte) {
  Real real(RealEngine::kRingReadiness, hybrid());
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  real.js->handler = [&](const Event& event) {
    notes.note(event);
    if (event.kind == EventKind::kData) real.js->write(event.name, event.bytes);
  };
  Peer peer(real.port);
  CHECK(real.until([&] { return notes.opened == 1; }));
  std::string sent;
  std::string answer;
  for (uint32_t round = 0; round < 3000; ++round) {
    const std::string piece = bytesFor(round, 1 + round * 37 % 5000);
    CHECK_EQ(peer.write(piece), piece.size());
    sent += piece;
    // Auto, readiness, completion and poll, in an order that visits each way from each other.
    real.js->command(CommandKind::kRoute, notes.last, (round * round + round / 4) % 4);
    if (round % 7 == 0) real.js->command(CommandKind::kPause, notes.last);
    real.js->turn();
    if (round % 7 == 0) real.js->command(CommandKind::kResume, notes.last);
    answer += peer.read();
    if (round % 16 == 0) {
      CHECK(real.until([&] { return (answer += peer.read()).size() == sent.size(); }));
    }
  }
  CHECK(real.until([&] { return (answer += peer.read()).size() == sent.size(); }));
  CHECK(answer == sent);
  CHECK(migrations(real) > 1000);
}

TEST(loop_closes_connections_in_the_middle_of_a_migration) {
  constexpr CommandKind kEndings[] = {CommandKind::kClose, CommandKind::kReset,
                                      CommandKind::kDestroy, CommandKind::kEnd};
  Real real(RealEngine::kRingReadiness, hybrid());
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  real.js->handler = [&](const Event& event) { notes.note(event); };
  for (uint32_t round = 0; round < 200; ++round) {
    Peer peer(real.port);
    CHECK(real.until([&] { return notes.opened == round + 1; }));
    real.js->command(CommandKind::kRoute, notes.last, round % 4);
    for (uint32_t i = 0; i < round % 3; ++i) real.js->turn();
    peer.write("x");
    if (round % 5 == 0) peer.shutdown();
    real.js->command(CommandKind::kRoute, notes.last, round / 4 % 4);
    real.js->command(kEndings[round / 16 % 4], notes.last);
    real.js->turn();
    peer.close();
    CHECK(real.until([&] { return notes.closed == round + 1; }));
  }
  CHECK(!notes.afterClose);
  CHECK_EQ(real.js->loop.live(), 1u);
}

}  // namespace
