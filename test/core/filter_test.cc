// A filter between the socket and what is spoken: nothing of that knows of it, and the loop counts,
// holds back and ends as without one.
#include "core/loop/filter.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "framed_filter.h"
#include "line_echo.h"
#include "random.h"
#include "real_fixture.h"
#include "scripted_fixture.h"

namespace {

using namespace test;

// A listener with the filter, an echo in the place of JavaScript, and a peer that has greeted.
struct Framed {
  explicit Framed(RealEngine engine) : real(engine) {}

  std::string start(Endpoint settings = {}) {
    const std::string refused = real.start();
    if (!refused.empty()) return refused;
    filter = &addFramedFilter(real.js->loop);
    settings.filter = filter;
    real.listen(settings);
    real.js->handler = [this](const Event& event) { onEvent(event); };
    return "";
  }
  void greet(Peer& peer) {
    peer.connect(real.port);
    const uint32_t before = notes.opened;
    peer.write("HI");
    real.until([&] { return notes.opened > before; });
  }
  void onEvent(const Event& event) {
    notes.note(event);
    if (event.kind == EventKind::kData && echoes) real.js->writeFrom(event.name, event);
    if (event.kind == EventKind::kEnd && endsBack) {
      real.js->command(CommandKind::kEnd, event.name);
    }
  }
  // Reads until `done`.
  bool read(Peer& peer, Unframed& into, const std::function<bool()>& done) {
    return real.until([&] {
      into.feed(peer.read());
      return done();
    });
  }
  double pending(Name name) const { return real.js->host.pending[name.slot]; }

  Real real;
  FramedFilter* filter = nullptr;
  Notes notes;
  bool echoes = false;
  bool endsBack = true;
};

#define START_FRAMED_OR_SKIP(framed)              \
  do {                                            \
    const std::string refused = (framed).start(); \
    if (!refused.empty()) SKIP(refused.c_str());  \
  } while (false)

EACH_ENGINE(filter_announces_a_connection_when_it_is_ready) {
  Framed framed(engine);
  START_FRAMED_OR_SKIP(framed);
  Loop& loop = framed.real.js->loop;
  Peer peer(framed.real.port);
  CHECK(framed.real.until([&] { return framed.filter->connections == 1; }));
  for (int i = 0; i < 5; ++i) framed.real.js->turn();
  CHECK(framed.notes.connections.empty());
  CHECK(loop.connectionsOf(framed.real.endpoint).empty());
  CHECK_EQ(loop.connections(), 1u);
  peer.write("H");
  for (int i = 0; i < 5; ++i) framed.real.js->turn();
  CHECK(framed.notes.connections.empty());
  peer.write("I" + framedText("hello"));
  CHECK(framed.real.until([&] {
    return framed.notes.opened == 1 && framed.notes.connections[framed.notes.last].bytes == "hello";
  }));
  CHECK_EQ(loop.connectionsOf(framed.real.endpoint).size(), size_t{2});
  peer.write(framedEnd());
  Unframed got;
  CHECK(framed.read(peer, got, [&] { return peer.ended && framed.notes.closed == 1; }));
  CHECK(got.ended && got.plain.empty());
  const Notes::Connection& seen = framed.notes.connections.begin()->second;
  CHECK(seen.kinds == (std::vector<EventKind>{EventKind::kOpen, EventKind::kData, EventKind::kEnd,
                                              EventKind::kClose}));
  CHECK_EQ(seen.error(), 0);
  CHECK_EQ(framed.filter->connections, 0);
}

EACH_ENGINE(filter_tells_nothing_of_a_connection_that_was_never_ready) {
  for (const bool resets : {false, true}) {
    Framed framed(engine);
    START_FRAMED_OR_SKIP(framed);
    Peer peer(framed.real.port);
    CHECK(framed.real.until([&] { return framed.filter->connections == 1; }));
    if (resets) {
      peer.reset();
    } else {
      peer.close();
    }
    CHECK(framed.real.until([&] { return framed.filter->connections == 0; }));
    framed.real.js->turn();
    CHECK(framed.notes.connections.empty());
    CHECK_EQ(framed.real.js->loop.connections(), 0u);
  }
}

EACH_ENGINE(filter_has_a_clock_until_the_connection_is_ready) {
  Framed framed(engine);
  START_FRAMED_OR_SKIP(framed);
  Peer silent(framed.real.port);
  CHECK(framed.real.until([&] { return framed.filter->connections == 1; }));
  Peer peer;
  framed.greet(peer);
  CHECK(framed.real.until([&] { return framed.filter->connections == 1; }));
  CHECK_EQ(framed.notes.closed, 0u);
  silent.read();
  CHECK(silent.ended || silent.error != 0);
}

EACH_ENGINE(filter_holds_the_end_of_a_listener_back_until_its_greetings_are_over) {
  for (const bool drain : {false, true}) {
    Framed framed(engine);
    START_FRAMED_OR_SKIP(framed);
    Peer peer(framed.real.port);
    CHECK(framed.real.until([&] { return framed.filter->connections == 1; }));
    framed.real.js->loop.closeListener(framed.real.endpoint, drain);
    framed.real.js->turn();
    if (drain) {
      for (int i = 0; i < 5; ++i) framed.real.js->turn();
      CHECK(!framed.notes.listenerClosed);
      peer.write("HI" + framedText("still served"));
      CHECK(framed.real.until([&] { return framed.notes.listenerClosed; }));
      CHECK_EQ(framed.notes.opened, 1u);
      peer.write(framedEnd());
    }
    CHECK(framed.real.until(
        [&] { return framed.notes.listenerClosed && framed.real.js->loop.live() == 0; }));
    CHECK_EQ(framed.filter->connections, 0);
    CHECK_EQ(framed.notes.opened, drain ? 1u : 0u);
  }
}

EACH_ENGINE(filter_ends_a_stopped_listener_although_a_greeting_never_comes) {
  Framed framed(engine);
  START_FRAMED_OR_SKIP(framed);
  Peer peer(framed.real.port);
  CHECK(framed.real.until([&] { return framed.filter->connections == 1; }));
  framed.real.js->loop.closeListener(framed.real.endpoint, true);
  CHECK(framed.real.until([&] { return framed.notes.listenerClosed; }));
  CHECK_EQ(framed.notes.opened, 0u);
}

EACH_ENGINE(filter_serves_a_protocol_that_does_not_know_of_it) {
  Real real(engine);
  START_OR_SKIP(real);
  Loop& loop = real.js->loop;
  auto made = std::make_unique<LineEcho>(loop.arena(), loop.transport());
  LineEcho& lines = *made;
  loop.addProtocol(std::move(made));
  Endpoint settings;
  settings.protocol = &lines;
  settings.filter = &addFramedFilter(loop);
  real.listen(settings);
  Notes notes;
  real.js->handler = [&](const Event& event) { notes.note(event); };

  Peer peer(real.port);
  Unframed got;
  const std::string sent =
      "HI" + framedText("one\ntw") + framedText("o\nthree\nfo", 1) + framedEnd();
  for (const char byte : sent) {  // whatever is split where
    CHECK_EQ(peer.write(std::string(1, byte)), size_t{1});
    real.js->turn();
    got.feed(peer.read());
  }
  CHECK(real.until([&] {
    got.feed(peer.read());
    return peer.ended && notes.closed == 1;
  }));
  CHECK_EQ(got.plain, std::string("one\ntwo\nthree\nfo"));
  CHECK(got.ended && !got.afterEnd);
  CHECK_EQ(lines.connections, 0);
}

EACH_ENGINE(filter_goes_on_one_way_when_the_other_has_ended) {
  for (const bool peerFirst : {false, true}) {
    Framed framed(engine);
    framed.endsBack = false;
    START_FRAMED_OR_SKIP(framed);
    LoopFixture& js = *framed.real.js;
    Peer peer;
    framed.greet(peer);
    const Name name = framed.notes.last;
    Unframed got;
    const auto& seen = framed.notes.connections[name];
    if (peerFirst) {
      peer.write(framedText("last words") + framedEnd());
      CHECK(framed.real.until([&] { return seen.has(EventKind::kEnd); }));
      CHECK_EQ(seen.bytes, std::string("last words"));
      js.write(name, "an answer");
      CHECK(framed.read(peer, got, [&] { return got.plain == "an answer"; }));
      CHECK(!got.ended);
      js.command(CommandKind::kEnd, name);
    } else {
      js.write(name, "a question");
      js.command(CommandKind::kEnd, name);
      js.write(name, " that comes too late");
      CHECK(framed.read(peer, got, [&] { return got.ended && peer.ended; }));
      CHECK_EQ(got.plain, std::string("a question"));
      CHECK_EQ(framed.pending(name), 0.0);
      peer.write(framedText("an answer") + framedEnd());
    }
    CHECK(framed.read(peer, got, [&] { return seen.closed() && peer.ended; }));
    CHECK_EQ(seen.error(), 0);
    CHECK(got.ended && !got.afterEnd);
    CHECK_EQ(seen.bytes, std::string(peerFirst ? "last words" : "an answer"));
  }
}

EACH_ENGINE(filter_may_call_an_end_without_its_own_a_failure) {
  Framed framed(engine);
  START_FRAMED_OR_SKIP(framed);
  Peer peer;
  framed.greet(peer);
  peer.write(framedText("some of a lo"));
  peer.shutdown();
  CHECK(framed.real.until([&] { return framed.notes.closed == 1; }));
  const auto& seen = framed.notes.connections[framed.notes.last];
  CHECK_EQ(seen.error(), kFramedTruncated);
  CHECK(!seen.has(EventKind::kEnd));
  CHECK_EQ(seen.bytes, std::string("some of a lo"));
}

EACH_ENGINE(filter_ignores_what_comes_behind_the_end) {
  Framed framed(engine);
  framed.endsBack = false;
  START_FRAMED_OR_SKIP(framed);
  Peer peer;
  framed.greet(peer);
  const Name name = framed.notes.last;
  peer.write(framedText("first") + framedEnd() + framedText("more"));
  const auto& seen = framed.notes.connections[name];
  CHECK(framed.real.until([&] { return seen.has(EventKind::kEnd); }));
  peer.write(framedText("and more"));
  for (int i = 0; i < 5; ++i) framed.real.js->turn();
  CHECK_EQ(seen.bytes, std::string("first"));
  CHECK_EQ(std::count(seen.kinds.begin(), seen.kinds.end(), EventKind::kEnd), 1);
  framed.real.js->command(CommandKind::kEnd, name);
  CHECK(framed.real.until([&] { return seen.closed(); }));
  CHECK_EQ(seen.error(), 0);
}

EACH_ENGINE(filter_closes_behind_what_was_written) {
  Framed framed(engine);
  START_FRAMED_OR_SKIP(framed);
  Peer peer;
  framed.greet(peer);
  const Name name = framed.notes.last;
  const std::string bytes = patternOf(500'000, 5);
  framed.real.js->write(name, bytes);
  framed.real.js->command(CommandKind::kClose, name);
  framed.real.js->write(name, "too late");
  Unframed got;
  CHECK(framed.read(peer, got, [&] { return peer.ended && framed.notes.closed == 1; }));
  CHECK(got.plain == bytes);
  CHECK(got.ended && !got.afterEnd);
}

EACH_ENGINE(filter_encodes_the_writes_of_a_turn_together) {
  Framed framed(engine);
  START_FRAMED_OR_SKIP(framed);
  Peer peer;
  framed.greet(peer);
  const Name name = framed.notes.last;
  framed.filter->encodes = 0;
  const uint64_t sends = framed.real.js->loop.metrics().sends;
  for (const char* word : {"head ", "body ", "tail"}) framed.real.js->write(name, word);
  framed.real.js->turn();
  CHECK_EQ(framed.filter->encodes, 1);
  CHECK_EQ(framed.real.js->loop.metrics().sends, sends + 1);
  Unframed got;
  CHECK(framed.read(peer, got, [&] { return got.plain == "head body tail"; }));
  CHECK_EQ(got.records, size_t{1});
  CHECK_EQ(framed.pending(name), 0.0);
}

EACH_ENGINE(filter_takes_large_writes_from_where_they_are) {
  for (const size_t bytes : {size_t{40'000}, size_t{300'000}, size_t{3'000'000}}) {
    Framed framed(engine);
    START_FRAMED_OR_SKIP(framed);
    LoopFixture& js = *framed.real.js;
    Peer peer;
    peer.open();
    peer.setBuffers(20'000);
    framed.greet(peer);
    const Name name = framed.notes.last;
    const std::string body = patternOf(bytes, 2);
    js.write(name, "head");
    js.write(name, body);  // all of it is kept
    js.write(name, "tail");
    js.turn();
    Unframed got;
    CHECK(framed.read(peer, got, [&] { return got.plain.size() >= bytes + 8; }));
    CHECK(got.plain == "head" + body + "tail");
    CHECK_EQ(framed.pending(name), 0.0);

    // A part of it is kept, and the caller gives the rest again.
    size_t given = 0;
    got.plain.clear();
    CHECK(framed.read(peer, got, [&] {
      if (given < bytes && framed.pending(name) == 0.0) {
        given += js.loop.sendLarge(name.slot, name.generation,
                                   reinterpret_cast<const uint8_t*>(body.data()) + given,
                                   bytes - given, 1000);
      }
      return given == bytes && got.plain.size() == bytes;
    }));
    CHECK(got.plain == body);
    CHECK_EQ(framed.pending(name), 0.0);
  }
}

EACH_ENGINE(filter_sends_at_once_what_the_kernel_takes) {
  Framed framed(engine);
  START_FRAMED_OR_SKIP(framed);
  LoopFixture& js = *framed.real.js;
  Peer peer;
  framed.greet(peer);
  const Name name = framed.notes.last;
  const auto trySend = [&](const std::string& bytes) {
    return js.loop.trySend(*js.channel(name), reinterpret_cast<const uint8_t*>(bytes.data()),
                           static_cast<uint32_t>(bytes.size()));
  };
  CHECK_EQ(trySend("now"), 3);
  Unframed got;
  CHECK(framed.read(peer, got, [&] { return got.plain == "now"; }));
  const std::string much = patternOf(1'000'000, 1);
  size_t taken = 0;
  while (taken < 100'000'000) {
    const ssize_t n = trySend(much);
    CHECK(n >= 0);
    taken += static_cast<size_t>(n);
    if (n < static_cast<ssize_t>(much.size())) break;
  }
  CHECK_EQ(trySend("no room"), 0);
  CHECK(framed.read(peer, got, [&] { return got.plain.size() == 3 + taken; }));
  js.command(CommandKind::kEnd, name);
  js.turn();
  CHECK_EQ(trySend("too late"), -EPIPE);
}

EACH_ENGINE(filter_lets_pause_drain_and_cork_work) {
  Framed framed(engine);
  START_FRAMED_OR_SKIP(framed);
  LoopFixture& js = *framed.real.js;
  Peer peer;
  peer.open();
  peer.setBuffers(20'000);
  framed.greet(peer);
  const Name name = framed.notes.last;
  auto& seen = framed.notes.connections[name];

  js.command(CommandKind::kPause, name);
  js.turn();
  peer.write(framedText("while paused"));
  for (int i = 0; i < 5; ++i) js.turn();
  CHECK(seen.bytes.empty());
  js.command(CommandKind::kResume, name);
  CHECK(framed.real.until([&] { return seen.bytes == "while paused"; }));

  Unframed got;
  js.command(CommandKind::kCork, name);
  js.write(name, "corked ");
  for (int i = 0; i < 5; ++i) js.turn();
  got.feed(peer.read());
  CHECK(got.plain.empty());
  js.write(name, "and not");
  js.command(CommandKind::kUncork, name);
  CHECK(framed.read(peer, got, [&] { return got.plain == "corked and not"; }));

  const std::string much = patternOf(8'000'000, 4);
  js.write(name, much);
  js.command(CommandKind::kWantDrain, name, 32 * 1024);
  js.turn();
  CHECK(framed.pending(name) > 32 * 1024);
  CHECK(!seen.has(EventKind::kDrain));
  CHECK(framed.read(peer, got, [&] { return seen.has(EventKind::kDrain); }));
  CHECK(framed.pending(name) <= 32 * 1024);
  CHECK(framed.read(peer, got, [&] { return got.plain.size() == 14 + much.size(); }));
  CHECK_EQ(framed.pending(name), 0.0);
}

struct TempFile {
  explicit TempFile(const std::string& bytes) {
    const char* base = std::getenv("TMPDIR");
    std::string path = std::string(base != nullptr ? base : "/tmp") + "/ringpoll-core-XXXXXX";
    fd = ::mkstemp(path.data());
    ::unlink(path.c_str());
    for (size_t done = 0; done < bytes.size();) {
      const ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
      if (n <= 0) break;
      done += static_cast<size_t>(n);
    }
  }
  int fd;
};

// Sends parts of a file with text around them, and answers what libuv's pool would.
void checkFiles(RealEngine engine, FileReader reader, bool cold) {
  for (const size_t size : {size_t{1}, size_t{20'000}, size_t{300'000}, size_t{5'000'000}}) {
    Framed framed(engine);
    START_FRAMED_OR_SKIP(framed);
    LoopFixture& js = *framed.real.js;
    Peer peer;
    framed.greet(peer);
    const Name name = framed.notes.last;
    const std::string bytes = patternOf(size, 3);
    const TempFile temp(bytes);
    if (cold) {
      ::fdatasync(temp.fd);
      ::posix_fadvise(temp.fd, 0, 0, POSIX_FADV_DONTNEED);
    }
    std::vector<Event> answers;
    std::vector<Event> fetches;
    js.handler = [&](const Event& event) {
      if (event.kind == EventKind::kFile) answers.push_back(event);
      if (event.kind == EventKind::kFileFetch) fetches.push_back(event);
    };
    const int64_t file = js.loop.files().table().add(temp.fd, true, false);
    const auto send = [&](uint64_t offset, uint64_t length, uint32_t id) {
      js.host.pending[name.slot] += static_cast<double>(length);
      js.command(CommandKind::kSendFile, name, static_cast<uint32_t>(file),
                 id | static_cast<uint32_t>(reader) << 29, static_cast<uint32_t>(offset),
                 static_cast<uint32_t>(length));
    };
    js.write(name, "before");
    send(0, size, 1);
    js.write(name, "between");
    send(size / 2, size - size / 2, 2);
    js.write(name, patternOf(100'000, 9));
    js.write(name, "after");
    js.command(CommandKind::kEnd, name);
    Unframed got;
    size_t fetched = 0;
    CHECK(framed.read(peer, got, [&] {
      for (; fetched < fetches.size(); ++fetched) {
        const Event& event = fetches[fetched];
        std::string piece(static_cast<size_t>(event.result), 0);
        const auto at = static_cast<off_t>(event.length) << 32 | event.offset;
        const ssize_t n = ::pread(temp.fd, piece.data(), piece.size(), at);
        js.loop.fetched(*js.channel(name), event.name.slot,
                        reinterpret_cast<const uint8_t*>(piece.data()), static_cast<int32_t>(n));
      }
      return peer.ended && answers.size() == 2;
    }));
    CHECK(got.plain ==
          "before" + bytes + "between" + bytes.substr(size / 2) + patternOf(100'000, 9) + "after");
    CHECK(got.ended && !got.afterEnd);
    for (const Event& answer : answers) CHECK_EQ(answer.result, 0);
    CHECK_EQ(answers[0].name.slot + answers[1].name.slot, 3u);
    CHECK_EQ(framed.pending(name), 0.0);
    CHECK_EQ(js.loop.files().underWay(), 0u);
  }
}

EACH_ENGINE(filter_sends_files_between_writes) { checkFiles(engine, FileReader::kAny, false); }
EACH_ENGINE(filter_sends_files_that_are_not_in_memory) {
  checkFiles(engine, FileReader::kAny, true);
}
EACH_ENGINE(filter_sends_files_that_the_ring_reads) {
  checkFiles(engine, FileReader::kRing, false);
}
EACH_ENGINE(filter_sends_files_that_the_pool_reads) { checkFiles(engine, FileReader::kPool, true); }

EACH_ENGINE(filter_ends_the_files_of_a_connection_that_closes) {
  Framed framed(engine);
  START_FRAMED_OR_SKIP(framed);
  LoopFixture& js = *framed.real.js;
  Peer peer;
  framed.greet(peer);
  const Name name = framed.notes.last;
  const TempFile temp(patternOf(5'000'000, 3));
  std::vector<int32_t> answers;
  js.handler = [&](const Event& event) {
    if (event.kind == EventKind::kFile) answers.push_back(event.result);
    framed.onEvent(event);
  };
  const int64_t file = js.loop.files().table().add(temp.fd, true, false);
  for (uint32_t id : {1u, 2u}) {
    js.host.pending[name.slot] += 5'000'000;
    js.command(CommandKind::kSendFile, name, static_cast<uint32_t>(file), id, 0, 5'000'000);
  }
  js.turn();
  peer.reset();
  CHECK(framed.real.until([&] { return framed.notes.closed == 1 && answers.size() == 2; }));
  CHECK_EQ(answers[0], -ECANCELED);
  CHECK_EQ(answers[1], -ECANCELED);
  // A read that is under way in another thread is answered for at once, and over a little later.
  CHECK(framed.real.until([&] { return js.loop.files().underWay() == 0; }));
}

EACH_ENGINE(filter_of_a_client_announces_the_connect) {
  Framed framed(engine);
  framed.echoes = true;
  START_FRAMED_OR_SKIP(framed);
  LoopFixture& js = *framed.real.js;
  SocketAddress address;
  SocketAddress::fromIp("127.0.0.1", framed.real.port, &address);
  Endpoint settings;
  settings.filter = framed.filter;
  Token token = 0;
  uint32_t id = 0;
  js.loop.connect(address, nullptr, settings, 0, &token, &id);
  const Name client{slotOf(token), generationOf(token)};
  std::string got;
  bool connected = false;
  js.handler = [&](const Event& event) {
    if (event.name != client) {
      framed.onEvent(event);
      return;
    }
    if (event.kind == EventKind::kConnected) connected = true;
    got += event.bytes;
    framed.notes.note(event);
  };
  CHECK(framed.real.until([&] { return connected; }));
  const std::string bytes = patternOf(1'000'000, 7);
  js.write(client, bytes);
  CHECK(framed.real.until([&] { return got.size() == bytes.size(); }));
  CHECK(got == bytes);
  js.command(CommandKind::kEnd, client);
  CHECK(framed.real.until([&] { return framed.notes.closed == 2; }));
  for (const auto& [name, seen] : framed.notes.connections) CHECK_EQ(seen.error(), 0);
  CHECK_EQ(framed.filter->connections, 0);
}

EACH_ENGINE(filter_of_a_client_fails_the_connect) {
  Framed framed(engine);
  START_FRAMED_OR_SKIP(framed);
  LoopFixture& js = *framed.real.js;
  Real plain(engine);
  CHECK_EQ(plain.start(), std::string());
  plain.listen();
  SocketAddress address;
  SocketAddress::fromIp("127.0.0.1", plain.port, &address);
  Endpoint settings;
  settings.filter = framed.filter;
  Token token = 0;
  uint32_t id = 0;
  js.loop.connect(address, nullptr, settings, 0, &token, &id);
  CHECK(framed.real.until([&] {
    plain.js->turn();
    return framed.notes.closed == 1;
  }));
  const auto& seen = framed.notes.connections.begin()->second;
  CHECK(seen.kinds == std::vector<EventKind>{EventKind::kClose});
  CHECK_EQ(seen.error(), kFramedNoGreeting);
}

EACH_ENGINE(filter_echoes_at_random_as_without_it) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    Random random(seed);
    Framed framed(engine);
    framed.echoes = true;
    START_FRAMED_OR_SKIP(framed);
    Peer peer;
    peer.open();
    if (random.oneIn(2)) peer.setBuffers(static_cast<int>(random.between(2'000, 60'000)));
    framed.greet(peer);
    std::string plain;
    std::string wire;
    while (plain.size() < 400'000) {
      const std::string piece = patternOf(random.between(1, random.oneIn(4) ? 60'000 : 500), seed);
      plain += piece;
      wire += framedText(piece, random.between(1, kFramedRecordMax));
    }
    wire += framedEnd();
    size_t at = 0;
    Unframed got;
    CHECK(framed.read(peer, got, [&] {
      const size_t most = random.oneIn(3) ? 3 : 20'000;
      at += peer.write(wire.substr(at, random.between(1, most)));
      return peer.ended;
    }));
    CHECK(got.plain == plain);
    CHECK(got.ended && !got.afterEnd);
    CHECK(framed.real.until([&] { return framed.notes.closed == 1; }));
    CHECK_EQ(framed.notes.connections[framed.notes.last].error(), 0);
  }
}

// --- on a scripted kernel: what is counted, to the byte ---------------------------------------

struct ScriptedFramed {
  explicit ScriptedFramed(Kind kind) : scripted(kind) {
    Endpoint settings;
    settings.filter = filter = &addFramedFilter(scripted.js.loop);
    SocketAddress address;
    SocketAddress::fromIp("127.0.0.1", 0, &address);
    const SocketResult opened = scripted.js.loop.listen(address, {}, settings, &scripted.endpoint);
    scripted.listenerFd = opened.fd;
  }
  Connected accept() {
    const int fd = scripted.kernel.openSocket();
    scripted.accepts(fd);
    scripted.js.turn();
    scripted.arrives(fd, "HI");
    for (const Event& event : scripted.settle()) {
      if (event.kind == EventKind::kOpen) return {event.name, fd};
    }
    return {};
  }
  Unframed sent(const Connected& peer) {
    Unframed got;
    got.feed(scripted.kernel.sentBytes(peer.fd));
    return got;
  }

  Scripted scripted;
  FramedFilter* filter = nullptr;
};

TEST(filter_counts_what_waits_as_it_will_leave) {
  for (const Kind kind : kBothKinds) {
    ScriptedFramed framed(kind);
    Scripted& scripted = framed.scripted;
    const Connected peer = framed.accept();
    CHECK_EQ(scripted.pending(peer.name), 0.0);
    scripted.kernel.setRoom(peer.fd, 10);
    scripted.js.write(peer.name, std::string(100, 'a'));
    CHECK_EQ(scripted.pending(peer.name), 100.0);
    scripted.js.turn();
    CHECK_EQ(scripted.pending(peer.name), 92.0);  // a record of 102 bytes, less what has left
    scripted.js.write(peer.name, std::string(50, 'b'));
    CHECK_EQ(scripted.pending(peer.name), 142.0);
    scripted.js.turn();
    CHECK_EQ(scripted.pending(peer.name), 144.0);
    scripted.takesMore(peer.fd, 40);
    scripted.settle();
    CHECK_EQ(scripted.pending(peer.name), 104.0);
    scripted.takesAllAfter(peer.fd, 4);
    scripted.settle();
    CHECK_EQ(scripted.pending(peer.name), 0.0);
    CHECK(framed.sent(peer).plain == std::string(100, 'a') + std::string(50, 'b'));
    expectContract(scripted);
  }
}

TEST(filter_counts_a_large_write_that_is_kept) {
  for (const Kind kind : kBothKinds) {
    for (const size_t room : {size_t{0}, size_t{1}, size_t{5000}, size_t{100'010}}) {
      ScriptedFramed framed(kind);
      Scripted& scripted = framed.scripted;
      const Connected peer = framed.accept();
      const std::string body = patternOf(100'000, 2);
      scripted.kernel.setRoom(peer.fd, room);
      scripted.js.write(peer.name, "head ");
      scripted.js.write(peer.name, body);
      const size_t sent = scripted.kernel.sentBytes(peer.fd).size() - 2;
      CHECK_EQ(sent, std::min(room, framedText("head " + body).size()));
      scripted.js.write(peer.name, " tail");
      scripted.js.turn();
      scripted.takesAllAfter(peer.fd, 3);
      scripted.settle();
      CHECK(framed.sent(peer).plain == "head " + body + " tail");
      CHECK_EQ(scripted.pending(peer.name), 0.0);
      expectContract(scripted);
    }
  }
}

TEST(filter_drops_what_is_written_behind_the_end) {
  for (const Kind kind : kBothKinds) {
    for (const CommandKind end : {CommandKind::kEnd, CommandKind::kClose}) {
      ScriptedFramed framed(kind);
      Scripted& scripted = framed.scripted;
      const Connected peer = framed.accept();
      scripted.kernel.setRoom(peer.fd, 0);
      scripted.js.write(peer.name, "goodbye");
      scripted.js.command(end, peer.name);
      scripted.js.write(peer.name, "small");
      scripted.js.write(peer.name, patternOf(100'000, 4));
      scripted.js.turn();
      CHECK_EQ(scripted.pending(peer.name), 11.0);  // two records: nine bytes, and the end
      CHECK(!scripted.kernel.finSent(peer.fd));
      scripted.takesAllAfter(peer.fd, 1);
      scripted.settle();
      const Unframed got = framed.sent(peer);
      CHECK_EQ(got.plain, std::string("goodbye"));
      CHECK(got.ended && !got.afterEnd);
      if (end == CommandKind::kEnd) CHECK(scripted.kernel.finSent(peer.fd));
      expectContract(scripted);
    }
  }
}

TEST(filter_uses_its_memory_again_within_a_flush) {
  ScriptedFramed framed(Kind::kPoll);
  Scripted& scripted = framed.scripted;
  std::vector<Connected> peers;
  for (int i = 0; i < 8; ++i) peers.push_back(framed.accept());
  scripted.kernel.setRoom(peers[3].fd, 1000);  // its bytes must stay, whoever writes after it
  const std::string body = patternOf(20'000, 6);
  for (int round = 0; round < 4; ++round) {
    for (const Connected& peer : peers) scripted.js.write(peer.name, body);
    scripted.js.turn();
  }
  scripted.kernel.setRoom(peers[3].fd, SIZE_MAX);
  scripted.kernel.edge(peers[3].fd, Readiness::kOut);
  scripted.settle();
  for (const Connected& peer : peers) {
    CHECK(framed.sent(peer).plain == body + body + body + body);
    CHECK_EQ(scripted.pending(peer.name), 0.0);
  }
  expectContract(scripted);
}

TEST(filter_that_has_no_memory_fails_its_connection) {
  ScriptedFramed framed(Kind::kPoll);
  Scripted& scripted = framed.scripted;
  const Connected peer = framed.accept();
  std::vector<Event> events;
  scripted.js.handler = [&](const Event& event) { events.push_back(event); };
  scripted.kernel.setRoom(peer.fd, 0);
  scripted.js.host.slabs.slabsMax = scripted.js.host.slabs.slabsHeld;
  for (int i = 0; i < 40 && events.empty(); ++i) {
    scripted.js.write(peer.name, std::string(30'000, 'x'));
    scripted.js.turn();
  }
  scripted.settle();
  CHECK(areKinds(events, {EventKind::kClose}));
  CHECK_EQ(events[0].error(), ENOMEM);
  CHECK_EQ(scripted.pending(peer.name), kPendingOver);
  CHECK_EQ(framed.filter->connections, 0);
  expectContract(scripted);
}

}  // namespace
