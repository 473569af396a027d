// How channels begin and end, on the scripted kernel: accept, connect, close, what comes too late.
#include <cerrno>

#include "scripted_fixture.h"

namespace {

using namespace test;

TEST(loop_accepts_again_when_an_accept_ends_without_more) {
  Scripted scripted(Kind::kRing);
  for (int i = 0; i < 3; ++i) {
    scripted.accepts(scripted.kernel.openSocket(), false);
    CHECK(areKinds(scripted.js.turn(), {EventKind::kOpen}));
    CHECK(scripted.kernel.inKernel(scripted.listenerFd, OpKind::kAccept));
  }
  expectContract(scripted);
}

TEST(loop_tells_of_an_accept_error_and_accepts_again_later) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    scripted.accepts(-EMFILE, false);
    const std::vector<Event> events = scripted.js.turn();
    CHECK(areKinds(events, {EventKind::kAcceptError}));
    CHECK_EQ(events[0].result, EMFILE);
    CHECK_EQ(events[0].endpoint, scripted.endpoint);
    if (kind == Kind::kRing) {
      CHECK(scripted.js.until(
          [&] { return scripted.kernel.inKernel(scripted.listenerFd, OpKind::kAccept); }));
      scripted.accepts(scripted.kernel.openSocket());
    } else {
      scripted.kernel.willAccept(scripted.listenerFd, scripted.kernel.openSocket());  // no edge
    }
    CHECK(scripted.js.until([&] { return scripted.js.loop.live() == 2; }));
    expectContract(scripted);
  }
}

TEST(loop_accepts_again_as_soon_as_a_descriptor_is_free) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected first = scripted.accept();
    scripted.accepts(-EMFILE, false);
    CHECK(areKinds(scripted.js.turn(), {EventKind::kAcceptError}));
    scripted.js.command(CommandKind::kDestroy, first.name);
    if (kind == Kind::kPoll) {
      scripted.kernel.willAccept(scripted.listenerFd, scripted.kernel.openSocket());
    }
    std::vector<Event> events = scripted.settle();
    if (kind == Kind::kRing) {
      CHECK(scripted.kernel.inKernel(scripted.listenerFd, OpKind::kAccept));
      CHECK(areKinds(events, {EventKind::kClose}));
    } else {
      CHECK(areKinds(events, {EventKind::kClose, EventKind::kOpen}));
    }
    expectContract(scripted);
  }
}

TEST(readiness_passes_over_peers_that_left_before_they_were_accepted) {
  Scripted scripted(Kind::kPoll);
  scripted.kernel.willAccept(scripted.listenerFd, -ECONNABORTED);
  scripted.kernel.willAccept(scripted.listenerFd, -EPROTO);
  scripted.accepts(scripted.kernel.openSocket());
  CHECK(areKinds(scripted.settle(), {EventKind::kOpen}));
  CHECK_EQ(scripted.js.loop.metrics().acceptErrors, 0u);
}

TEST(readiness_bounds_the_accepts_of_a_turn) {
  Scripted scripted(Kind::kPoll);
  for (uint32_t i = 0; i < 3 * kAcceptsPerTurnMax; ++i) {
    scripted.accepts(scripted.kernel.openSocket());
  }
  CHECK_EQ(scripted.js.turn().size(), kAcceptsPerTurnMax);
  CHECK(scripted.js.loop.hasWork());
  CHECK_EQ(scripted.settle().size(), 2 * kAcceptsPerTurnMax);
}

TEST(loop_closes_connections_beyond_the_limit_at_once) {
  for (const Kind kind : kBothKinds) {
    Endpoint settings;
    settings.maxConnections = 2;
    Scripted scripted(kind, settings);
    const Connected first = scripted.accept();
    scripted.accept();
    const int refused = scripted.kernel.openSocket();
    scripted.accepts(refused);
    CHECK(scripted.settle().empty());
    CHECK(!scripted.kernel.isOpen(refused));
    CHECK_EQ(scripted.js.loop.metrics().acceptDropped, 1u);
    scripted.js.command(CommandKind::kDestroy, first.name);
    scripted.settle();
    CHECK(scripted.accept().fd >= 0);
    expectContract(scripted);
  }
}

TEST(loop_closes_what_a_closing_listener_still_accepts) {
  Scripted scripted(Kind::kRing);
  scripted.kernel.cancelsComplete(false);
  const Connected open = scripted.accept();
  scripted.js.loop.closeListener(scripted.endpoint, false);
  CHECK(scripted.settle().empty());
  const int late = scripted.kernel.openSocket();
  scripted.accepts(late);
  scripted.accepts(-ECANCELED, false);
  CHECK(areKinds(scripted.settle(), {EventKind::kListenerClosed}));
  CHECK(!scripted.kernel.isOpen(late));
  CHECK(!scripted.kernel.isOpen(scripted.listenerFd));
  // Its connections live on, and are the last to name the endpoint.
  scripted.arrives(open.fd, "still here");
  CHECK(bytesOf(scripted.settle()) == "still here");
  CHECK(scripted.js.loop.endpoint(scripted.endpoint)->live);
  scripted.kernel.cancelsComplete(true);
  scripted.js.command(CommandKind::kDestroy, open.name);
  CHECK(areKinds(scripted.settle(), {EventKind::kClose}));
  CHECK(!scripted.js.loop.endpoint(scripted.endpoint)->live);
  CHECK_EQ(scripted.js.loop.live(), 0u);
  expectContract(scripted);
}

TEST(loop_connects_and_then_receives) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.beginConnect();
    CHECK(scripted.settle().empty());
    scripted.connects(peer.fd);
    const std::vector<Event> events = scripted.settle();
    CHECK(areKinds(events, {EventKind::kConnected}));
    CHECK(events[0].name == peer.name);
    scripted.js.write(peer.name, "hello");
    scripted.arrives(peer.fd, "welcome");
    CHECK(bytesOf(scripted.settle()) == "welcome");
    CHECK(scripted.kernel.sentBytes(peer.fd) == "hello");
    expectContract(scripted);
  }
}

TEST(loop_connects_at_once_when_the_kernel_does) {
  Scripted scripted(Kind::kPoll);
  scripted.kernel.willConnect(0);
  const Connected peer = scripted.beginConnect();
  scripted.kernel.edge(peer.fd, Readiness::kOut);  // both tell of it
  CHECK(areKinds(scripted.settle(), {EventKind::kConnected}));
  CHECK_EQ(scripted.js.loop.metrics().connected, 1u);
}

TEST(loop_reports_a_refused_connect_early_or_late) {
  for (const bool late : {false, true}) {
    for (const Kind kind : kBothKinds) {
      Scripted scripted(kind);
      if (!late && kind == Kind::kPoll) scripted.kernel.willConnect(-ECONNREFUSED);
      const Connected peer = scripted.beginConnect(10'000);
      if (late) CHECK(scripted.settle().empty());
      if (late || kind == Kind::kRing) scripted.connects(peer.fd, -ECONNREFUSED);
      const std::vector<Event> events = scripted.settle();
      CHECK(areKinds(events, {EventKind::kClose}));
      CHECK_EQ(events[0].error(), ECONNREFUSED);
      CHECK(events[0].syscall() == Syscall::kConnect);
      CHECK_EQ(scripted.js.loop.live(), 1u);
      CHECK(!scripted.kernel.isOpen(peer.fd));
      expectContract(scripted);
    }
  }
}

TEST(loop_gives_up_a_connect_that_takes_too_long) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    scripted.kernel.cancelsComplete(false);
    const Connected peer = scripted.beginConnect(20);
    std::vector<Event> events;
    scripted.js.handler = [&](const Event& event) { events.push_back(event); };
    if (kind == Kind::kRing) {
      CHECK(scripted.js.until(
          [&] { return scripted.js.channel(peer.name)->state == ChannelState::kClosing; }));
      scripted.settle();
      CHECK(events.empty());                                   // the kernel has the operation still
      scripted.kernel.complete(peer.fd, OpKind::kConnect, 0);  // just too late
    }
    CHECK(scripted.js.until([&] { return !events.empty(); }));
    CHECK(areKinds(events, {EventKind::kClose}));
    CHECK_EQ(events[0].error(), kErrorConnectTimeout);
    expectContract(scripted);
  }
}

TEST(loop_gives_up_a_connect_on_command) {
  for (const CommandKind how : {CommandKind::kClose, CommandKind::kReset, CommandKind::kDestroy}) {
    for (const Kind kind : kBothKinds) {
      Scripted scripted(kind);
      const Connected peer = scripted.beginConnect(10'000);
      scripted.js.command(how, peer.name);
      CHECK(areKinds(scripted.settle(), {EventKind::kClose}));
      expectContract(scripted);
    }
  }
}

TEST(loop_waits_for_the_last_completion_before_it_closes) {
  Scripted scripted(Kind::kRing);
  scripted.kernel.cancelsComplete(false);
  const Connected peer = scripted.accept();
  const Connected other = scripted.accept();
  scripted.kernel.setRoom(peer.fd, 0);
  scripted.js.write(peer.name, std::string(50'000, 'p'));
  scripted.js.turn();
  scripted.js.command(CommandKind::kDestroy, peer.name);
  for (int i = 0; i < 20; ++i) {  // life goes on, and must leave that memory alone
    scripted.js.write(other.name, std::string(20'000, 'o'));
    scripted.arrives(other.fd, std::string(9'000, 'i'));
    CHECK(areKinds(scripted.js.turn(), {EventKind::kData}));
    CHECK(scripted.kernel.isOpen(peer.fd));
  }
  scripted.kernel.completeReceive(peer.fd, "late bytes", false);
  CHECK(scripted.settle().empty());
  scripted.kernel.completeSend(peer.fd, 50'000);
  const std::vector<Event> events = scripted.settle();
  CHECK(areKinds(events, {EventKind::kClose}));
  CHECK(!scripted.kernel.isOpen(peer.fd));
  CHECK(scripted.settle().empty());
  expectContract(scripted);
}

TEST(loop_ignores_commands_for_connections_that_are_over) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.accept();
    scripted.ends(peer.fd, -ECONNRESET);
    scripted.js.handler = [&](const Event& event) {
      if (event.kind != EventKind::kClose) return;
      for (int command = 1; command <= static_cast<int>(CommandKind::kDestroy); ++command) {
        const auto each = static_cast<CommandKind>(command);
        if (each == CommandKind::kRetain || each == CommandKind::kRelease) continue;
        scripted.js.command(each, peer.name);
      }
      scripted.js.write(peer.name, "nobody");
    };
    CHECK(areKinds(scripted.settle(), {EventKind::kClose}));
    CHECK_EQ(scripted.pending(peer.name), kPendingOver);
    // The slot's next user sees nothing of it.
    const Connected next = scripted.accept();
    CHECK_EQ(next.name.slot, peer.name.slot);
    CHECK(next.name.generation != peer.name.generation);
    CHECK_EQ(scripted.pending(next.name), 0.0);
    scripted.js.command(CommandKind::kDestroy, peer.name);
    CHECK(scripted.settle().empty());
    CHECK(scripted.kernel.isOpen(next.fd));
    expectContract(scripted);
  }
}

TEST(loop_survives_a_close_within_any_event) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected first = scripted.accept();
    const Connected second = scripted.accept();
    scripted.js.handler = [&](const Event&) {
      scripted.js.command(CommandKind::kDestroy, first.name);
      scripted.js.command(CommandKind::kReset, second.name);
      scripted.js.loop.flush();
    };
    scripted.arrives(first.fd, "a");
    scripted.arrives(second.fd, "b");
    scripted.arrives(first.fd, "c");
    const std::vector<Event> events = scripted.settle();
    uint32_t closes = 0;
    for (const Event& event : events) closes += event.kind == EventKind::kClose ? 1 : 0;
    CHECK_EQ(closes, 2u);
    CHECK(events.back().kind == EventKind::kClose);
    CHECK_EQ(scripted.js.loop.live(), 1u);
    expectContract(scripted);
  }
}

TEST(loop_sends_what_was_written_before_the_connection_was_there) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected other = scripted.accept();
    const Connected peer = scripted.beginConnect();
    scripted.js.write(peer.name, "early bird");
    scripted.js.command(CommandKind::kEnd, peer.name);
    scripted.js.turn();
    // The staging block is used for something else meanwhile.
    scripted.js.write(other.name, "----------------");
    scripted.js.turn();
    scripted.connects(peer.fd);
    CHECK(areKinds(scripted.settle(), {EventKind::kConnected}));
    CHECK(scripted.kernel.sentBytes(peer.fd) == "early bird");
    CHECK(scripted.kernel.finSent(peer.fd));
    CHECK_EQ(scripted.pending(peer.name), 0.0);
    expectContract(scripted);
  }
}

TEST(loop_sends_the_fin_of_a_connection_that_was_ended_before_it_was_there) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.beginConnect();
    scripted.js.command(CommandKind::kEnd, peer.name);
    scripted.js.turn();
    scripted.connects(peer.fd);
    CHECK(areKinds(scripted.settle(), {EventKind::kConnected}));
    CHECK(scripted.kernel.finSent(peer.fd));
  }
}

TEST(loop_keeps_the_connect_timeout_when_an_idle_timeout_is_set) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected peer = scripted.beginConnect(20);
    scripted.js.command(CommandKind::kTimeout, peer.name, 60'000);
    std::vector<Event> events;
    scripted.js.handler = [&](const Event& event) { events.push_back(event); };
    CHECK(scripted.js.until([&] { return !events.empty(); }, 5'000));
    CHECK_EQ(events[0].error(), kErrorConnectTimeout);
  }
}

TEST(loop_closes_each_descriptor_once_when_it_is_stopped) {
  for (const Kind kind : kBothKinds) {
    Scripted scripted(kind);
    const Connected closing = scripted.accept();
    const Connected open = scripted.accept();
    const Connected connecting = scripted.beginConnect();
    scripted.js.command(CommandKind::kDestroy, closing.name);
    scripted.js.loop.flush();  // the engine has closed it, and JavaScript has not heard of it
    scripted.js.loop.stop();
    for (const int fd : {closing.fd, open.fd, connecting.fd, scripted.listenerFd}) {
      CHECK(!scripted.kernel.isOpen(fd));
    }
    expectContract(scripted);
  }
}

}  // namespace
