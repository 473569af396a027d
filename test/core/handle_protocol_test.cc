// What handles in JavaScript ask of the loop: what keeps the process alive, reads of their own,
// ends that close nothing, and sockets that come from elsewhere or go there.
#include <sys/socket.h>

#include "core/raw/handle_protocol.h"
#include "real_fixture.h"

namespace {

using namespace test;

struct Served {
  explicit Served(RealEngine engine) : real(engine) {}

  // A listener whose connections are handles.
  void listen() {
    auto protocol =
        std::make_unique<HandleProtocol>(real.js->loop.arena(), real.js->loop.eventWriter());
    settings.protocol = protocol.get();
    real.js->loop.addProtocol(std::move(protocol));
    real.listen(settings);
    real.js->handler = [this](const Event& event) {
      notes.note(event);
      if (event.kind == EventKind::kFinSent) ++finSent;
      if (event.kind == EventKind::kReadable) ++readable;
    };
  }
  Name accept() {
    real.until([&] { return notes.opened == 1; });
    return notes.last;
  }
  uint32_t holding() { return real.js->loop.holding(); }
  Channel& channel(Name name) { return *real.js->channel(name); }
  void command(CommandKind kind, Name name, uint32_t value = 0) {
    real.js->command(kind, name, value);
    real.js->turn();
  }

  Real real;
  Notes notes;
  Endpoint settings;
  int finSent = 0;
  int readable = 0;
};

EACH_ENGINE(handle_keeps_the_process_while_it_is_read_or_sends) {
  Served served(engine);
  START_OR_SKIP(served.real);
  served.listen();
  Loop& loop = served.real.js->loop;
  CHECK_EQ(served.holding(), 1u);
  loop.setReferenced(*loop.listenerOf(served.real.endpoint), false);
  CHECK_EQ(served.holding(), 0u);
  Peer peer(served.real.port);
  const Name name = served.accept();
  CHECK_EQ(served.holding(), 1u);
  served.command(CommandKind::kPause, name);
  CHECK_EQ(served.holding(), 0u);
  served.command(CommandKind::kResume, name);
  CHECK_EQ(served.holding(), 1u);
  loop.setReferenced(served.channel(name), false);
  CHECK_EQ(served.holding(), 0u);
  // More than the kernel takes, to a peer that does not read.
  served.real.js->write(name, std::string(16 * 1024 * 1024, 'x'));
  CHECK_EQ(served.holding(), 1u);
  size_t received = 0;
  CHECK(served.real.until([&] {
    received += peer.read().size();
    return received == 16 * 1024 * 1024;
  }));
  CHECK(served.real.until([&] { return served.holding() == 0; }));
  served.command(CommandKind::kDestroy, name);
  CHECK(served.real.until([&] { return served.notes.closed == 1; }));
  CHECK_EQ(served.holding(), 0u);
  CHECK_EQ(loop.live(), 1u);
  loop.closeListener(served.real.endpoint, false);
  CHECK(served.real.until([&] { return served.notes.listenerClosed; }));
  CHECK_EQ(loop.live(), 0u);
  CHECK_EQ(served.holding(), 0u);
}

EACH_ENGINE(connection_that_is_no_handle_keeps_the_process_until_unref) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  real.js->handler = [&notes](const Event& event) { notes.note(event); };
  Peer peer(real.port);
  CHECK(real.until([&] { return notes.opened == 1; }));
  real.js->command(CommandKind::kPause, notes.last);
  real.js->turn();
  CHECK_EQ(real.js->loop.holding(), 2u);
  real.js->loop.setReferenced(*real.js->channel(notes.last), false);
  CHECK_EQ(real.js->loop.holding(), 1u);
  real.js->loop.setReferenced(*real.js->channel(notes.last), true);
  CHECK_EQ(real.js->loop.holding(), 2u);
}

// JavaScript holds the rest of a long write, and is told to go on when the next turn begins.
EACH_ENGINE(connection_whose_share_is_used_up_keeps_the_process_until_its_writer_is_told) {
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Notes notes;
  int drains = 0;
  real.js->handler = [&](const Event& event) {
    notes.note(event);
    if (event.kind == EventKind::kDrain) ++drains;
  };
  Peer peer(real.port);
  CHECK(real.until([&] { return notes.opened == 1; }));
  Loop& loop = real.js->loop;
  loop.setReferenced(*real.js->channel(notes.last), false);
  CHECK_EQ(loop.holding(), 1u);
  for (int i = 0; i < 2; ++i) {
    real.js->write(notes.last, std::string(kConnectionShareBytes, 'x'));
    loop.flushNow();
  }
  real.js->command(CommandKind::kWantDrain, notes.last, 1);
  loop.flushNow();
  CHECK(real.js->channel(notes.last)->allSent());
  CHECK_EQ(drains, 0);
  CHECK_EQ(loop.holding(), 2u);
  CHECK(real.until([&] { return drains == 1; }));
  CHECK_EQ(loop.holding(), 1u);
}

EACH_ENGINE(handle_stays_open_when_both_sides_have_ended) {
  Served served(engine);
  START_OR_SKIP(served.real);
  served.listen();
  Peer peer(served.real.port);
  const Name name = served.accept();
  peer.shutdown();
  CHECK(served.real.until([&] { return served.notes.connections[name].has(EventKind::kEnd); }));
  served.real.js->write(name, "after the end");
  served.command(CommandKind::kEnd, name);
  CHECK(served.real.until([&] { return served.finSent == 1; }));
  std::string answer;
  CHECK(served.real.until([&] { return (answer += peer.read(), peer.ended); }));
  CHECK(answer == "after the end");
  for (int i = 0; i < 10; ++i) served.real.js->turn();
  CHECK_EQ(served.notes.closed, 0);
  CHECK_EQ(localAddress(served.channel(name).fd).port, served.real.port);
  served.command(CommandKind::kDestroy, name);
  CHECK(served.real.until([&] { return served.notes.closed == 1; }));
  CHECK_EQ(served.finSent, 1);
}

EACH_ENGINE(handle_reads_itself_what_comes_and_hears_of_the_end) {
  Served served(engine);
  START_OR_SKIP(served.real);
  served.listen();
  Loop& loop = served.real.js->loop;
  Peer peer(served.real.port);
  const Name name = served.accept();
  uint8_t buffer[1000];
  CHECK_EQ(loop.readInto(served.channel(name), buffer, sizeof buffer), 0u);  // it is not told
  const bool can = loop.tellReadable(served.channel(name), true);
  CHECK_EQ(can, engine != RealEngine::kRingCompletion);
  if (!can) return;
  const std::string sent = patternOf(100'000, 1);
  size_t written = 0;
  std::string read;
  int seen = 0;
  CHECK(served.real.until([&] {
    written += peer.write(sent, written);
    if (served.readable == seen) return false;
    seen = served.readable;
    // What one turn leaves is told again in the next.
    const uint32_t n = loop.readInto(served.channel(name), buffer, sizeof buffer);
    read.append(reinterpret_cast<const char*>(buffer), n);
    return read.size() == sent.size();
  }));
  CHECK(read == sent);
  CHECK(served.notes.connections[name].bytes.empty());
  CHECK_EQ(served.channel(name).bytesRead, sent.size());
  // Paused, nothing is told, and nothing is lost.
  served.command(CommandKind::kPause, name);
  peer.write("later");
  for (int i = 0; i < 10; ++i) served.real.js->turn();
  CHECK_EQ(loop.readInto(served.channel(name), buffer, sizeof buffer), 0u);
  seen = served.readable;
  served.command(CommandKind::kResume, name);
  CHECK(served.real.until([&] { return served.readable > seen; }));
  CHECK_EQ(loop.readInto(served.channel(name), buffer, sizeof buffer), 5u);
  // And back: bytes come as events.
  CHECK(loop.tellReadable(served.channel(name), false));
  peer.write("as ever");
  CHECK(served.real.until([&] { return served.notes.connections[name].bytes == "as ever"; }));
  CHECK(loop.tellReadable(served.channel(name), true));
  peer.shutdown();
  CHECK(served.real.until([&] {
    if (Channel* channel = served.real.js->channel(name)) {
      loop.readInto(*channel, buffer, sizeof buffer);
    }
    return served.notes.connections[name].has(EventKind::kEnd);
  }));
}

EACH_ENGINE(connected_socket_is_adopted_and_released_again) {
  Real real(engine);
  START_OR_SKIP(real);
  Notes notes;
  real.js->handler = [&notes](const Event& event) { notes.note(event); };
  Loop& loop = real.js->loop;
  int ends[2];
  CHECK_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  Token token = 0;
  uint32_t endpoint = 0;
  CHECK_EQ(loop.adoptConnection(ends[0], {}, &token, &endpoint).fd, ends[0]);
  CHECK_EQ(loop.adoptConnection(ends[0], {}, &token, &endpoint).error, EEXIST);
  const Name name{slotOf(token), generationOf(token)};
  CHECK_EQ(::send(ends[1], "hello", 5, 0), 5);
  CHECK(real.until([&] { return notes.connections[name].bytes == "hello"; }));
  real.js->write(name, "answer");
  real.js->turn();
  const int away = loop.release(*real.js->channel(name));
  CHECK(away >= 0);
  CHECK(real.until([&] { return notes.closed == 1; }));
  // The socket lives on: the peer has seen no end, and both ways work.
  char buffer[16];
  CHECK_EQ(::recv(ends[1], buffer, sizeof buffer, MSG_DONTWAIT), 6);
  CHECK_EQ(::recv(ends[1], buffer, sizeof buffer, MSG_DONTWAIT), -1);
  CHECK_EQ(::send(away, "more", 4, 0), 4);
  CHECK_EQ(::recv(ends[1], buffer, sizeof buffer, MSG_DONTWAIT), 4);
  ::close(away);
  ::close(ends[1]);
  CHECK_EQ(loop.live(), 0u);
}

EACH_ENGINE(what_is_no_connected_stream_is_not_adopted) {
  Real real(engine);
  START_OR_SKIP(real);
  Loop& loop = real.js->loop;
  Token token = 0;
  uint32_t endpoint = 0;
  const int datagram = ::socket(AF_INET, SOCK_DGRAM, 0);
  CHECK_EQ(loop.adoptConnection(datagram, {}, &token, &endpoint).error, EINVAL);
  const int unconnected = ::socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(loop.adoptConnection(unconnected, {}, &token, &endpoint).error, ENOTCONN);
  ::close(datagram);
  ::close(unconnected);
  CHECK_EQ(loop.live(), 0u);
}

}  // namespace
