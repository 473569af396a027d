// From JavaScript to the kernel, on the scripted kernel: short writes, EAGAIN, drain, FIN, cork.
#include <cerrno>

#include "random.h"
#include "scripted_fixture.h"

namespace {

using namespace test;

std::string pattern(size_t bytes, uint64_t stream = 1) {
  std::string all(bytes, 0);
  for (size_t i = 0; i < bytes; ++i) all[i] = static_cast<char>(streamByte(stream, i));
  return all;
}

TEST(loop_sends_a_turns_writes_together) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    const uint64_t before = scripted.js.loop.metrics().sends;
    for (int i = 0; i < 100; ++i) scripted.js.write(peer.name, "0123456789");
    scripted.js.turn();
    CHECK_EQ(scripted.js.loop.metrics().sends, before + 1);
    CHECK_EQ(scripted.kernel.sentBytes(peer.fd).size(), 1000u);
    CHECK_EQ(scripted.pending(peer.name), 0.0);
    expectContract(scripted);
  }
}

TEST(loop_leaves_the_rest_of_a_short_write_to_the_engine) {
  for (const Kind kind : kBothKinds) {
    for (const size_t first : {0u, 1u, 5u}) {
      Scripted scripted(kind);
      const Connected peer = scripted.accept();
      scripted.kernel.setRoom(peer.fd, first);
      scripted.js.write(peer.name, "hello world");
      scripted.js.turn();
      scripted.js.write(peer.name, ", and more");  // must not overtake
      scripted.js.turn();
      CHECK_EQ(scripted.kernel.sentBytes(peer.fd).size(), first);
      scripted.takesAllAfter(peer.fd, 2);
      scripted.settle();
      CHECK(scripted.kernel.sentBytes(peer.fd) == "hello world, and more");
      CHECK_EQ(scripted.pending(peer.name), 0.0);
      expectContract(scripted);
    }
  }
}

TEST(loop_keeps_large_remainders_in_order_over_many_short_sends) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    std::string whole;
    scripted.kernel.setRoom(peer.fd, 1000);
    for (uint64_t i = 0; i < 30; ++i) {
      const std::string piece = pattern(1 + i * i * 700, i);
      whole += piece;
      scripted.js.write(peer.name, piece);
      if (i % 3 == 0) scripted.js.turn();
    }
    scripted.js.turn();
    CHECK_EQ(scripted.pending(peer.name), static_cast<double>(whole.size() - 1000));
    test::Random random(7);
    for (int i = 0; i < 100'000 && scripted.pending(peer.name) > 0; ++i) {
      // The remainder goes to the engine again each time: the send call after it finds no room.
      scripted.takesMore(peer.fd, static_cast<uint32_t>(random.between(1, 40'000)));
      scripted.js.turn();
    }
    CHECK(scripted.kernel.sentBytes(peer.fd) == whole);
    expectContract(scripted);
  }
}

TEST(loop_sends_received_bytes_from_where_they_lie) {
  for (const Kind kind : kBothKinds) {
    for (const size_t room : {SIZE_MAX, size_t{0}, size_t{100}}) {
      Scripted scripted(kind);
      const Connected peer = scripted.accept();
      const std::string large = pattern(30'000, 3);
      scripted.js.handler = [&](const Event& event) {
        if (event.kind == EventKind::kData) scripted.js.writeFrom(peer.name, event);
      };
      scripted.kernel.setRoom(peer.fd, room);
      scripted.arrives(peer.fd, large);
      scripted.js.turn();
      scripted.js.handler = nullptr;
      scripted.arrives(peer.fd, pattern(30'000, 4));  // into the same memory, if that is free
      scripted.js.turn();
      if (room < large.size()) scripted.takesAllAfter(peer.fd, 30'000);
      scripted.settle();
      CHECK(scripted.kernel.sentBytes(peer.fd) == large);
      expectContract(scripted);
    }
  }
}

// Turns until the bytes have left, as long as each turn promises to end by itself.
void turnWithoutEvents(Scripted& scripted, const Connected& peer) {
  for (int i = 0; i < 10 && scripted.kernel.sentBytes(peer.fd).empty(); ++i) {
    scripted.js.turn(-1);
    CHECK(scripted.kernel.lastTimeoutNs() >= 0);
  }
}

// No event tells that the kernel has memory again, so none may be waited for.
TEST(loop_tries_again_when_the_kernel_has_no_memory) {
  for (const Kind kind : kBothKinds) {
    for (const int error : {ENOBUFS, ENOMEM}) {
      Scripted scripted(kind);
      const Connected peer = scripted.accept();
      for (int i = 0; i < 3; ++i) scripted.kernel.willSend(peer.fd, -error);
      scripted.js.write(peer.name, "patience");
      turnWithoutEvents(scripted, peer);
      CHECK(scripted.kernel.sentBytes(peer.fd) == "patience");
      CHECK_EQ(scripted.js.loop.metrics().sendsWithoutMemory, 3u);
      scripted.js.turn(-1);
      CHECK_EQ(scripted.kernel.lastTimeoutNs(), -1);
      expectContract(scripted);
    }
  }
}

TEST(loop_waits_between_two_tries_when_the_kernel_has_no_memory) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    for (int i = 0; i < 3; ++i) scripted.kernel.willSend(peer.fd, -ENOBUFS);
    scripted.js.write(peer.name, "patience");
    for (int i = 0; i < 3; ++i) {
      scripted.js.turn(-1);
      CHECK_EQ(scripted.kernel.lastTimeoutNs(), int64_t{kMemoryRetryMs} * 1'000'000);
    }
    CHECK(scripted.kernel.sentBytes(peer.fd) == "patience");
    expectContract(scripted);
  }
}

// The same, when the engine was the one that met it.
TEST(loop_tries_again_when_the_kernel_has_no_memory_for_the_engine) {
  for (const Kind kind : kBothKinds) {
    for (const int error : {ENOBUFS, ENOMEM}) {
      Scripted scripted(kind);
      const Connected peer = scripted.accept();
      scripted.kernel.setRoom(peer.fd, 0);
      scripted.js.write(peer.name, "patience");
      scripted.js.turn();
      scripted.kernel.setRoom(peer.fd, SIZE_MAX);
      if (kind == Kind::kRing) {
        scripted.kernel.complete(peer.fd, OpKind::kSend, -error);
      } else {
        scripted.kernel.willSend(peer.fd, -error);
        scripted.kernel.edge(peer.fd, Readiness::kOut);
      }
      scripted.kernel.willSend(peer.fd, -error);
      scripted.js.turn();
      turnWithoutEvents(scripted, peer);
      CHECK(scripted.kernel.sentBytes(peer.fd) == "patience");
      expectContract(scripted);
    }
  }
}

// A file that is in memory, and a kernel that has none for the socket at first.
class FilesWithoutMemory final : public FileCalls {
 public:
  explicit FilesWithoutMemory(int error) : error_(error) {}
  bool resident(int, uint64_t, uint64_t) override { return true; }
  ssize_t sendFile(int, int, uint64_t, uint64_t bytes) override {
    return ++calls <= 2 ? -error_ : static_cast<ssize_t>(bytes);
  }
  int close(int) override { return 0; }

  int calls = 0;

 private:
  const int error_;
};

TEST(loop_tries_again_when_the_kernel_has_no_memory_for_a_file) {
  for (const Kind kind : kBothKinds) {
    for (const int error : {ENOBUFS, ENOMEM}) {
      FilesWithoutMemory files(error);
      Scripted scripted(kind, {}, Scripted::checkedOptions(), &files);
      const Connected peer = scripted.accept();
      const uint32_t bytes = kFileCopyBytesMax + 1;
      const int64_t file = scripted.js.loop.files().table().add(7, true, false);
      scripted.js.host.pending[peer.name.slot] += bytes;
      scripted.js.command(CommandKind::kSendFile, peer.name, static_cast<uint32_t>(file), 0, 0,
                          bytes);
      std::vector<Event> events;
      scripted.js.handler = [&](const Event& event) { events.push_back(event); };
      for (int i = 0; i < 10 && events.empty(); ++i) {
        scripted.js.turn(-1);
        CHECK(scripted.kernel.lastTimeoutNs() >= 0);
      }
      CHECK(areKinds(events, {EventKind::kFile}));
      CHECK_EQ(files.calls, 3);
      CHECK_EQ(scripted.pending(peer.name), 0.0);
      expectContract(scripted);
    }
  }
}

TEST(loop_reports_an_error_of_a_send_with_the_close) {
  for (const Kind kind : kBothKinds) {
    for (const bool byEngine : {false, true}) {
      Scripted scripted(kind);
      const Connected peer = scripted.accept();
      scripted.kernel.willSend(peer.fd, byEngine ? -EAGAIN : -EPIPE);
      scripted.js.write(peer.name, "into the void");
      std::vector<Event> events;
      scripted.js.handler = [&](const Event& event) { events.push_back(event); };
      scripted.js.turn();
      if (byEngine && kind == Kind::kRing) {
        scripted.kernel.complete(peer.fd, OpKind::kSend, -EPIPE);
      } else if (byEngine) {
        scripted.kernel.willSend(peer.fd, -EPIPE);
        scripted.kernel.edge(peer.fd, Readiness::kOut | Readiness::kHup);
      }
      scripted.settle();
      CHECK(areKinds(events, {EventKind::kClose}));
      CHECK_EQ(events[0].error(), EPIPE);
      CHECK(events[0].syscall() == Syscall::kWrite);
      CHECK_EQ(scripted.pending(peer.name), kPendingOver);
      expectContract(scripted);
    }
  }
}

TEST(loop_tells_once_when_the_queue_is_low_again) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    scripted.kernel.setRoom(peer.fd, 0);
    scripted.js.write(peer.name, std::string(10'000, 'x'));
    scripted.js.command(CommandKind::kWantDrain, peer.name, 4'000);
    CHECK(scripted.settle().empty());
    scripted.takesMore(peer.fd, 5'000);
    CHECK(scripted.settle().empty());
    CHECK_EQ(scripted.pending(peer.name), 5'000.0);
    scripted.takesMore(peer.fd, 1'500);
    const std::vector<Event> events = scripted.settle();
    CHECK(areKinds(events, {EventKind::kDrain}));
    CHECK(scripted.settle().empty());
    expectContract(scripted);
  }
}

TEST(loop_sends_the_fin_after_the_last_byte) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    scripted.kernel.setRoom(peer.fd, 3);
    scripted.js.write(peer.name, "goodbye");
    scripted.js.command(CommandKind::kEnd, peer.name);
    scripted.js.write(peer.name, "never sent");  // after the end: dropped, and not pending
    scripted.settle();
    CHECK(!scripted.kernel.finSent(peer.fd));
    CHECK_EQ(scripted.pending(peer.name), 4.0);
    scripted.takesMore(peer.fd, 4);
    CHECK(scripted.settle().empty());
    CHECK(scripted.kernel.finSent(peer.fd));
    CHECK(scripted.kernel.sentBytes(peer.fd) == "goodbye");
    // Reading goes on until the peer's FIN.
    scripted.arrives(peer.fd, "wait");
    scripted.ends(peer.fd);
    const std::vector<Event> events = scripted.settle();
    CHECK(areKinds(events, {EventKind::kData, EventKind::kEnd, EventKind::kClose}));
    expectContract(scripted);
  }
}

TEST(loop_closes_after_what_is_queued) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    scripted.kernel.setRoom(peer.fd, 3);
    scripted.js.write(peer.name, "goodbye");
    scripted.js.command(CommandKind::kClose, peer.name);
    CHECK(scripted.settle().empty());
    scripted.takesMore(peer.fd, 4);
    CHECK(areKinds(scripted.settle(), {EventKind::kClose}));
    CHECK(scripted.kernel.sentBytes(peer.fd) == "goodbye");
    expectContract(scripted);
  }
}

TEST(loop_holds_corked_bytes_over_turns_and_sends_them_at_once) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected corked = scripted.accept();
    const Connected other = scripted.accept();
    scripted.js.command(CommandKind::kCork, corked.name);
    std::string whole;
    for (uint64_t i = 0; i < 10; ++i) {
      whole += pattern(500, i);
      scripted.js.write(corked.name, pattern(500, i));
      scripted.js.write(other.name, pattern(800, i + 100));  // uses the staging block again
      scripted.js.turn();
    }
    CHECK(scripted.kernel.sentBytes(corked.fd).empty());
    CHECK_EQ(scripted.pending(corked.name), 5'000.0);
    const uint64_t before = scripted.js.loop.metrics().sends;
    scripted.js.command(CommandKind::kUncork, corked.name);
    scripted.js.turn();
    CHECK_EQ(scripted.js.loop.metrics().sends, before + 1);
    CHECK(scripted.kernel.sentBytes(corked.fd) == whole);
    expectContract(scripted);
  }
}

TEST(loop_sends_at_once_only_when_nothing_waits) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    const auto trySend = [&](const std::string& bytes) {
      return scripted.js.loop.trySend(*scripted.js.channel(peer.name),
                                      reinterpret_cast<const uint8_t*>(bytes.data()),
                                      static_cast<uint32_t>(bytes.size()));
    };
    CHECK_EQ(trySend("now"), 3);
    scripted.js.write(peer.name, " queued ");
    CHECK_EQ(trySend("after"), 5);  // what is queued goes first
    CHECK(scripted.kernel.sentBytes(peer.fd) == "now queued after");
    scripted.kernel.setRoom(peer.fd, 2);
    CHECK_EQ(trySend("half"), 2);
    CHECK_EQ(trySend("lf"), 0);
    scripted.js.write(peer.name, "lf");
    CHECK_EQ(trySend("x"), 0);  // something waits
    scripted.takesAllAfter(peer.fd, 2);
    scripted.settle();
    CHECK(scripted.kernel.sentBytes(peer.fd) == "now queued afterhalf");
    scripted.kernel.willSend(peer.fd, -ECONNRESET);
    CHECK_EQ(trySend("x"), -ECONNRESET);
    CHECK_EQ(trySend("x"), -EPIPE);
    CHECK(areKinds(scripted.settle(), {EventKind::kClose}));
    expectContract(scripted);
  }
}

TEST(loop_takes_large_writes_while_a_send_is_under_way) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    const std::string first = pattern(700'000, 1);
    const std::string second = pattern(600'000, 2);
    scripted.kernel.setRoom(peer.fd, 100'000);
    scripted.js.write(peer.name, first);
    scripted.js.turn();
    scripted.js.write(peer.name, second);
    scripted.js.turn();
    CHECK_EQ(scripted.pending(peer.name), 1'200'000.0);
    scripted.takesAllAfter(peer.fd, 1);
    scripted.settle();
    CHECK(scripted.kernel.sentBytes(peer.fd) == first + second);
    expectContract(scripted);
  }
}

TEST(loop_fails_a_connection_whose_bytes_find_no_memory_to_wait_in) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    scripted.js.host.slabs.slabsMax = scripted.js.host.slabs.slabsHeld;
    // Nothing is left in the class that copies come from.
    std::vector<BlockId> taken;
    for (BlockId id; (id = scripted.js.loop.arena().lease(kBlockBytesMax / 4)) != kNoBlock;) {
      taken.push_back(id);
    }
    for (int i = 0; i < 8; ++i) scripted.kernel.willSend(peer.fd, -EAGAIN);  // and then again room
    scripted.js.write(peer.name, "nowhere to wait");
    const std::vector<Event> events = scripted.settle();
    CHECK(areKinds(events, {EventKind::kClose}));
    CHECK_EQ(events[0].error(), ENOMEM);
    for (BlockId id : taken) scripted.js.loop.arena().release(id);
    expectContract(scripted);
  }
}

}  // namespace
