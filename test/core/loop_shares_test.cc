// What a writer is told, and when: its share of a turn, the drain events of a turn, and the end.
#include <cerrno>

#include "scripted_fixture.h"

namespace {

using namespace ringpoll;
using namespace test;

constexpr uint32_t kPieceBytes = 16 * 1024;

// Writes and flushes as JavaScript does while its turn runs, until it is held up. The kernel takes
// everything. Returns the bytes.
uint64_t writeUntilHeld(Scripted& scripted, const Connected& peer) {
  const std::string piece(kPieceBytes, 'x');
  uint64_t written = 0;
  while (scripted.pending(peer.name) < kPendingHeld && written < 64 * kTurnShareBytes) {
    scripted.js.write(peer.name, piece);
    scripted.js.loop.flushNow();
    written += kPieceBytes;
  }
  return written;
}

TEST(loop_holds_a_writer_up_until_the_next_turn_when_its_share_is_used_up) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    for (int turn = 0; turn < 3; ++turn) {
      const uint64_t written = writeUntilHeld(scripted, peer);
      CHECK(written <= kConnectionShareBytes + 2 * kPieceBytes);
      CHECK(written + kPieceBytes > kConnectionShareBytes / 2);
      CHECK_EQ(scripted.pending(peer.name), kPendingHeld);  // the kernel has taken everything
      scripted.js.command(CommandKind::kWantDrain, peer.name, 1000);
      scripted.js.loop.flushNow();
      CHECK(areKinds(scripted.js.turn(-1), {EventKind::kDrain}));
      CHECK_EQ(scripted.kernel.lastTimeoutNs(), 0);  // nothing else would end the wait
      CHECK_EQ(scripted.pending(peer.name), 0.0);
      CHECK(scripted.js.turn().empty());
    }
    expectContract(scripted);
  }
}

TEST(loop_holds_all_writers_up_when_the_turn_is_used_up) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    constexpr uint32_t kWriters = 4 * kTurnShareBytes / kConnectionShareBytes;
    std::vector<Connected> peers;
    for (uint32_t i = 0; i < kWriters; ++i) peers.push_back(scripted.accept());
    uint64_t written = 0;
    for (const Connected& peer : peers) written += writeUntilHeld(scripted, peer);
    CHECK(written <= kTurnShareBytes + 2 * kWriters * kPieceBytes);
    scripted.js.turn();
    for (const Connected& peer : peers) CHECK_EQ(scripted.pending(peer.name), 0.0);
    expectContract(scripted);
  }
}

TEST(loop_holds_up_a_writer_of_many_single_bytes) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    uint32_t writes = 0;
    while (scripted.pending(peer.name) < kPendingHeld && writes < 1'000'000) {
      scripted.js.write(peer.name, "x");
      ++writes;
    }
    CHECK(writes <= 3 * kCommandCapacity);
    scripted.js.turn();
    CHECK_EQ(scripted.kernel.sentBytes(peer.fd).size(), static_cast<size_t>(writes));
    expectContract(scripted);
  }
}

TEST(loop_does_not_hold_a_single_large_write_up_that_the_kernel_takes) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    scripted.js.write(peer.name, std::string(4 * kTurnShareBytes, 'x'));
    CHECK_EQ(scripted.pending(peer.name), 0.0);
    scripted.js.write(peer.name, std::string(100'000, 'x'));
    CHECK_EQ(scripted.pending(peer.name), kPendingHeld);
    CHECK(scripted.js.turn().empty());
    CHECK_EQ(scripted.pending(peer.name), 0.0);
    expectContract(scripted);
  }
}

TEST(loop_does_not_count_what_leaves_at_the_end_of_a_turn) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    const std::string piece(kPieceBytes, 'x');
    for (int i = 0; i < 100; ++i) {
      scripted.js.write(peer.name, piece);
      scripted.js.turn();
      CHECK_EQ(scripted.pending(peer.name), 0.0);
    }
    expectContract(scripted);
  }
}

TEST(loop_writes_so_many_drain_events_in_a_turn_at_most_and_all_in_the_end) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    constexpr uint32_t kWriters = 2 * kDrainsPerTurnMax + 10;
    std::vector<Connected> peers;
    for (uint32_t i = 0; i < kWriters; ++i) peers.push_back(scripted.accept());
    for (const Connected& peer : peers) {
      scripted.js.write(peer.name, "x");
      scripted.js.command(CommandKind::kWantDrain, peer.name, 10);
    }
    std::vector<Name> told;
    for (int turn = 0; turn < 3; ++turn) {
      const std::vector<Event> events = scripted.js.turn();
      CHECK(events.size() <= kDrainsPerTurnMax);
      for (const Event& event : events) told.push_back(event.name);
    }
    CHECK_EQ(told.size(), static_cast<size_t>(kWriters));
    for (uint32_t i = 0; i < kWriters; ++i) CHECK(told[i] == peers[i].name);
    CHECK(!scripted.js.loop.hasWork());
    expectContract(scripted);
  }
}

TEST(loop_lets_a_drain_that_is_wanted_in_a_delivery_wait_for_the_next_turn) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    uint32_t drains = 0;
    scripted.js.handler = [&](const Event& event) {
      if (event.kind == EventKind::kDrain) ++drains;
      scripted.js.command(CommandKind::kWantDrain, peer.name, 10);
      scripted.js.loop.flushNow();
    };
    scripted.js.command(CommandKind::kWantDrain, peer.name, 10);
    for (uint32_t turn = 1; turn <= 10; ++turn) {
      scripted.js.turn();
      CHECK_EQ(drains, turn);
    }
    expectContract(scripted);
  }
}

TEST(loop_says_of_a_failed_connection_at_once_that_it_is_over) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    scripted.kernel.willSend(peer.fd, -EPIPE);
    scripted.js.write(peer.name, "x");
    scripted.js.loop.flushNow();
    CHECK_EQ(scripted.pending(peer.name), kPendingOver);
    // Whatever is written now is dropped, and changes nothing.
    scripted.js.write(peer.name, "x");
    scripted.js.write(peer.name, std::string(100'000, 'x'));
    scripted.js.command(CommandKind::kWantDrain, peer.name, 10);
    scripted.js.loop.flushNow();
    CHECK_EQ(scripted.pending(peer.name), kPendingOver);
    const std::vector<Event> events = scripted.settle();
    CHECK(areKinds(events, {EventKind::kClose}));
    CHECK_EQ(scripted.pending(peer.name), kPendingOver);
    // The next one in the same place begins anew.
    const Connected next = scripted.accept();
    CHECK_EQ(next.name.slot, peer.name.slot);
    CHECK_EQ(scripted.pending(next.name), 0.0);
    expectContract(scripted);
  }
}

TEST(loop_says_of_a_held_connection_too_that_it_is_over) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    writeUntilHeld(scripted, peer);
    scripted.kernel.willSend(peer.fd, -ECONNRESET);
    scripted.js.write(peer.name, "x");
    scripted.js.loop.flushNow();
    CHECK_EQ(scripted.pending(peer.name), kPendingOver);
    CHECK(areKinds(scripted.settle(), {EventKind::kClose}));
    CHECK_EQ(scripted.pending(peer.name), kPendingOver);
    expectContract(scripted);
  }
}

}  // namespace
