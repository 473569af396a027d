// From the kernel to JavaScript, on the scripted kernel: bytes, FIN, errors, pause, budgets.
#include <cerrno>

#include "random.h"
#include "scripted_fixture.h"

namespace {

using namespace test;

TEST(loop_delivers_open_data_end_close_in_order) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    scripted.arrives(peer.fd, "first");
    scripted.arrives(peer.fd, "second");
    scripted.ends(peer.fd);
    const std::vector<Event> events = scripted.settle();
    CHECK(bytesOf(events) == "firstsecond");
    CHECK(events.back().kind == EventKind::kEnd);
    CHECK_EQ(events.back().endpoint, scripted.endpoint);
    scripted.js.command(CommandKind::kEnd, peer.name);
    const std::vector<Event> last = scripted.settle();
    CHECK(areKinds(last, {EventKind::kClose}));
    CHECK_EQ(last[0].result, 0);
    CHECK_EQ(last[0].offset, 11u);  // bytes read
    CHECK_EQ(last[0].length, 0u);   // bytes written
    CHECK(!scripted.kernel.isOpen(peer.fd));
    CHECK_EQ(scripted.js.loop.live(), 1u);
    expectContract(scripted);
  }
}

TEST(loop_reports_an_error_of_a_receive_with_the_close) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    scripted.arrives(peer.fd, "x");
    scripted.ends(peer.fd, -ECONNRESET);
    const std::vector<Event> events = scripted.settle();
    CHECK(areKinds(events, {EventKind::kData, EventKind::kClose}));
    CHECK_EQ(events[1].error(), ECONNRESET);
    CHECK(events[1].syscall() == Syscall::kRead);
    expectContract(scripted);
  }
}

TEST(loop_goes_on_when_a_receive_ends_without_more) {
  Scripted scripted(Kind::kRing);
  const Connected peer = scripted.accept();
  for (int i = 0; i < 3; ++i) {
    scripted.kernel.completeReceive(peer.fd, "abc", false);
    CHECK(bytesOf(scripted.js.turn()) == "abc");
    CHECK(scripted.kernel.inKernel(peer.fd, OpKind::kReceive));
  }
  expectContract(scripted);
}

TEST(loop_keeps_a_retained_block_while_others_are_received) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    std::vector<Event> kept;
    scripted.js.handler = [&](const Event& event) {
      scripted.js.retain(event);
      kept.push_back(event);
    };
    for (int i = 0; i < 20; ++i) {
      scripted.arrives(peer.fd, std::string(3000, static_cast<char>('a' + i)));
      CHECK(areKinds(scripted.js.turn(), {EventKind::kData}));
    }
    for (const Event& event : kept) CHECK(scripted.js.bytesOf(event) == event.bytes);
    const uint32_t held = scripted.js.loop.arenaStats().outstanding;
    for (const Event& event : kept) scripted.js.release(event);
    scripted.js.turn();
    // What is left is the loop's own: staging, and the warm receive block.
    CHECK(scripted.js.loop.arenaStats().outstanding <= 2 && held > 2);
    expectContract(scripted);
  }
}

TEST(loop_delivers_nothing_of_a_connection_that_is_being_closed) {
  for (const CommandKind how : {CommandKind::kClose, CommandKind::kReset, CommandKind::kDestroy}) {
    for (const Kind kind : kBothKinds) {
      Scripted scripted(kind);
      const Connected peer = scripted.accept();
      scripted.js.command(how, peer.name);
      scripted.arrives(peer.fd, "too late");
      scripted.ends(peer.fd);
      const std::vector<Event> events = scripted.settle();
      CHECK(areKinds(events, {EventKind::kClose}));
      CHECK_EQ(events[0].result, 0);
      CHECK(scripted.settle().empty());
    }
  }
}

// --- readiness ---

TEST(readiness_does_not_spend_a_read_on_finding_nothing) {
  Scripted scripted(Kind::kPoll);
  const Connected peer = scripted.accept();
  const uint64_t before = scripted.js.loop.metrics().receivesEmpty;
  for (int i = 0; i < 10; ++i) {
    scripted.arrives(peer.fd, "short");
    scripted.js.turn();
  }
  CHECK_EQ(scripted.js.loop.metrics().receives, 10u);
  CHECK_EQ(scripted.js.loop.metrics().receivesEmpty, before);
}

TEST(readiness_survives_an_edge_without_bytes) {
  Scripted scripted(Kind::kPoll);
  const Connected peer = scripted.accept();
  scripted.kernel.edge(peer.fd, Readiness::kIn);
  CHECK(scripted.settle().empty());
  CHECK_EQ(scripted.js.loop.metrics().receivesEmpty, 1u);
  scripted.arrives(peer.fd, "now");
  CHECK(bytesOf(scripted.settle()) == "now");
}

TEST(readiness_reads_on_after_a_hangup_although_a_read_was_short) {
  Scripted scripted(Kind::kPoll);
  const Connected peer = scripted.accept();
  scripted.kernel.willReceive(peer.fd, "last words");
  scripted.kernel.willReceive(peer.fd, 0);
  scripted.kernel.edge(peer.fd, Readiness::kIn | Readiness::kHup);  // there will be no other
  const std::vector<Event> events = scripted.settle();
  CHECK(areKinds(events, {EventKind::kData, EventKind::kEnd}));
}

TEST(readiness_remembers_what_came_during_a_pause) {
  Scripted scripted(Kind::kPoll);
  const Connected peer = scripted.accept();
  scripted.js.command(CommandKind::kPause, peer.name);
  scripted.arrives(peer.fd, "waits");
  scripted.ends(peer.fd);
  CHECK(scripted.settle().empty());
  scripted.js.command(CommandKind::kResume, peer.name);
  const std::vector<Event> events = scripted.settle();  // no new edge
  CHECK(areKinds(events, {EventKind::kData, EventKind::kEnd}));
  CHECK(events[0].bytes == "waits");
}

TEST(readiness_bounds_what_one_connection_and_one_turn_may_take) {
  Scripted scripted(Kind::kPoll);
  const Connected greedy = scripted.accept();
  const Connected modest = scripted.accept();
  std::string flood;
  for (uint32_t i = 0; i < 3 * 1024 * 1024; ++i) flood += static_cast<char>(streamByte(1, i));
  scripted.arrives(greedy.fd, flood);
  scripted.arrives(modest.fd, "me too");
  // It is its turn when the greedy one has had its share, be it in the next turn of the loop.
  std::vector<Event> events;
  bool modestServed = false;
  for (int turn = 0; turn < 2; ++turn) {
    uint32_t ofGreedy = 0;
    for (Event& event : scripted.js.turn()) {
      if (event.name == greedy.name) ofGreedy += event.length;
      if (event.name == modest.name) modestServed = event.bytes == "me too";
      events.push_back(std::move(event));
    }
    CHECK(ofGreedy <= kConnectionBytesMax + kReceiveMax);
    CHECK(scripted.js.loop.hasWork());
  }
  CHECK(modestServed);
  std::string all;
  for (const Event& event : events) all += event.name == greedy.name ? event.bytes : "";
  all += bytesOf(scripted.settle());
  CHECK(all == flood);
  expectContract(scripted);
}

TEST(readiness_goes_on_when_there_is_memory_again) {
  Scripted scripted(Kind::kPoll);
  const Connected peer = scripted.accept();
  scripted.js.host.slabs.slabsMax = scripted.js.host.slabs.slabsHeld;
  std::vector<Event> kept;
  // Retains everything that arrives until the arena has nothing left.
  scripted.js.handler = [&](const Event& event) {
    if (event.kind != EventKind::kData) return;
    scripted.js.retain(event);
    kept.push_back(event);
  };
  std::string sent;
  for (int i = 0; i < 12; ++i) {
    const std::string piece(200 * 1024, static_cast<char>('a' + i));
    scripted.arrives(peer.fd, piece);
    sent += piece;
    scripted.js.turn();
  }
  CHECK(scripted.js.loop.arenaStats().refused > 0);
  CHECK(bytesOf(kept).size() < sent.size());
  for (const Event& event : kept) CHECK(scripted.js.bytesOf(event) == event.bytes);
  std::string received = bytesOf(kept);
  for (const Event& event : kept) scripted.js.release(event);
  scripted.js.handler = nullptr;
  received += bytesOf(scripted.settle());
  CHECK(received == sent);
  expectContract(scripted);
}

// One call into JavaScript has room for kEventCapacity events. The rest must reach it in the same
// turn, since they name this turn's memory.
TEST(loop_delivers_all_events_of_a_turn_before_their_memory_is_used_again) {
  constexpr uint32_t kConnections = 3'000;
  Scripted scripted(Kind::kPoll);
  std::vector<Connected> peers;
  for (uint32_t i = 0; i < kConnections; ++i) peers.push_back(scripted.accept());
  // A drain event for each, which stands before the bytes that arrive in the same turn.
  for (const Connected& peer : peers) {
    scripted.js.command(CommandKind::kWantDrain, peer.name, 1);
  }
  for (uint32_t i = 0; i < kConnections; ++i) {
    scripted.arrives(peers[i].fd, "number " + std::to_string(i));
  }
  std::vector<Event> events = scripted.settle();
  uint32_t drains = 0;
  uint32_t data = 0;
  for (const Event& event : events) {
    if (event.kind == EventKind::kDrain) ++drains;
    if (event.kind != EventKind::kData) continue;
    ++data;
    CHECK(event.bytes.starts_with("number "));
    const auto number = static_cast<uint32_t>(std::stoul(event.bytes.substr(7)));
    CHECK(peers[number].name == event.name);
  }
  CHECK_EQ(drains, kConnections);
  CHECK_EQ(data, kConnections);
}

// With every block retained there is no memory to read into, and no edge tells when there is again.
TEST(readiness_waits_for_memory_without_spinning) {
  Scripted scripted(Kind::kPoll);
  const Connected peer = scripted.accept();
  const Connected other = scripted.accept();
  scripted.js.host.slabs.slabsMax = scripted.js.host.slabs.slabsHeld;
  std::vector<Event> kept;
  scripted.js.handler = [&](const Event& event) {
    if (event.kind != EventKind::kData) return;
    scripted.js.retain(event);
    kept.push_back(event);
  };
  const auto starved = [&] { return scripted.js.loop.metrics().bufferExhaustions > 0; };
  for (int i = 0; i < 100 && !starved(); ++i) {
    scripted.arrives(peer.fd, "more");
    scripted.js.turn();
  }
  CHECK(starved());
  const size_t before = kept.size();
  for (int i = 0; i < 3; ++i) {
    scripted.js.turn(-1);
    CHECK(!scripted.js.loop.hasWork());
    CHECK_EQ(scripted.kernel.lastTimeoutNs(), int64_t{kMemoryRetryMs} * 1'000'000);
  }
  scripted.js.write(other.name, "meanwhile");
  scripted.js.turn(-1);
  CHECK(scripted.kernel.sentBytes(other.fd) == "meanwhile");
  CHECK_EQ(kept.size(), before);
  scripted.js.release(kept.front());
  const std::vector<Event> events = scripted.js.turn(-1);
  CHECK_EQ(scripted.kernel.lastTimeoutNs(), 0);
  CHECK(bytesOf(events) == "more");
  expectContract(scripted);
}

TEST(readiness_sends_on_while_there_is_no_memory_to_read_into) {
  Scripted scripted(Kind::kPoll);
  const Connected peer = scripted.accept();
  scripted.kernel.setRoom(peer.fd, 0);
  scripted.js.write(peer.name, "queued");
  scripted.js.turn();
  scripted.js.host.slabs.slabsMax = scripted.js.host.slabs.slabsHeld;
  std::vector<BlockId> taken;
  Arena& arena = scripted.js.loop.arena();
  while (arena.hasFree(kHotBlockBytes)) taken.push_back(arena.lease(kHotBlockBytes));
  scripted.arrives(peer.fd, "arrived");
  scripted.js.turn();
  CHECK_EQ(scripted.js.loop.metrics().bufferExhaustions, 1u);
  scripted.takesAllAfter(peer.fd, 6);
  scripted.js.turn();
  CHECK(scripted.kernel.sentBytes(peer.fd) == "queued");
  scripted.js.command(CommandKind::kDestroy, peer.name);  // and a close does not wait for memory
  CHECK(areKinds(scripted.settle(), {EventKind::kClose}));
  scripted.js.turn(-1);
  scripted.js.turn(-1);
  CHECK_EQ(scripted.kernel.lastTimeoutNs(), -1);
  for (BlockId block : taken) arena.release(block);
  expectContract(scripted);
}

}  // namespace
