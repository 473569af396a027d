// TLS on connections of a loop, against a client that is OpenSSL alone.
#include "core/tls/filter.h"

#include <cerrno>

#include "line_echo.h"
#include "random.h"
#include "tls_real.h"

namespace {

using namespace test;
using tls::OpenSsl;

constexpr int kBothVersions[] = {OpenSsl::kTls12, OpenSsl::kTls13};

EACH_ENGINE(tls_filter_announces_a_connection_behind_its_handshake) {
  NEED_OPENSSL();
  for (const int version : kBothVersions) {
    TlsReal server(engine);
    START_TLS_OR_SKIP(server);
    const auto client = server.clientOf(version);
    TlsPeer peer(*client);
    CHECK(server.secure(peer));
    const Name name = server.notes.last;
    CHECK_EQ(server.filter->sessionOf(*server.real.js->channel(name))->version(), version);
    peer.write("hello");
    CHECK(server.until(peer, [&] { return peer.plain == "hello"; }));
    peer.end();
    CHECK(server.until(peer, [&] { return peer.ended && server.notes.closed == 1; }));
    const auto& seen = server.notes.connections[name];
    CHECK(seen.kinds == (std::vector<EventKind>{EventKind::kOpen, EventKind::kData, EventKind::kEnd,
                                                EventKind::kClose}));
    CHECK_EQ(seen.error(), 0);
    CHECK(server.errors.empty());
    const tls::Counters& counters = server.filter->counters();
    CHECK_EQ(counters.handshakes, uint64_t{1});
    CHECK_EQ(counters.handshakes13, uint64_t{version == OpenSsl::kTls13 ? 1u : 0u});
    CHECK_EQ(counters.handshakes12, uint64_t{version == OpenSsl::kTls12 ? 1u : 0u});
    CHECK_EQ(counters.resumed, uint64_t{0});
    CHECK_EQ(counters.connections, uint64_t{0});
  }
}

EACH_ENGINE(tls_filter_takes_records_however_they_are_split) {
  NEED_OPENSSL();
  for (const int version : kBothVersions) {
    for (const size_t most : {size_t{1}, size_t{7}, size_t{100'000}}) {
      TlsReal server(engine);
      START_TLS_OR_SKIP(server);
      const auto client = server.clientOf(version);
      TlsPeer peer(*client);
      peer.socket.connect(server.real.port);
      CHECK(server.until(
          peer, [&] { return peer.secure; }, most));
      // Many records in one read, or one in many reads: byte by byte each takes a turn.
      std::string all;
      const size_t pieces = most == 1 ? 20 : 60;
      for (size_t i = 1; i <= pieces; ++i) {
        const std::string piece = patternOf(i, i);
        peer.write(piece);
        all += piece;
      }
      CHECK(server.until(
          peer, [&] { return peer.plain.size() == all.size(); }, most));
      CHECK(peer.plain == all);
      peer.end();
      CHECK(server.until(
          peer, [&] { return server.notes.closed == 1; }, most));
      CHECK_EQ(server.notes.connections[server.notes.last].error(), 0);
    }
  }
}

EACH_ENGINE(tls_filter_echoes_at_random) {
  NEED_OPENSSL();
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    Random random(seed);
    TlsReal server(engine);
    START_TLS_OR_SKIP(server);
    const auto client = server.clientOf(random.oneIn(2) ? OpenSsl::kTls12 : OpenSsl::kTls13);
    TlsPeer peer(*client);
    peer.socket.open();
    if (random.oneIn(2)) {
      peer.socket.setBuffers(static_cast<int>(random.between(3'000, 60'000)));
    }
    peer.socket.connect(server.real.port);
    std::string sent;
    CHECK(server.real.until([&] {
      if (peer.secure && sent.size() < 600'000 && peer.idle()) {
        const std::string piece =
            patternOf(random.between(1, random.oneIn(3) ? 100'000 : 300), seed);
        peer.write(piece);
        sent += piece;
        if (random.oneIn(10)) peer.updateKeys(random.oneIn(2));
      }
      const size_t most = random.oneIn(4) ? 5 : random.oneIn(2) ? 2'000 : 90'000;
      peer.pump(random.between(1, most));
      return sent.size() >= 600'000 && peer.plain.size() == sent.size();
    }));
    CHECK(peer.plain == sent);
    const Name name = server.notes.last;
    CHECK_EQ(server.pending(name), 0.0);
    peer.end();
    CHECK(server.until(peer, [&] { return peer.ended && server.notes.closed == 1; }));
    CHECK_EQ(server.notes.connections[name].error(), 0);
  }
}

EACH_ENGINE(tls_filter_sends_a_turn_in_as_few_records_as_possible) {
  NEED_OPENSSL();
  TlsReal server(engine);
  START_TLS_OR_SKIP(server);
  TlsPeer peer(*server.client);
  CHECK(server.secure(peer));
  const Name name = server.notes.last;
  LoopFixture& js = *server.real.js;
  peer.records = 0;
  const uint64_t sends = js.loop.metrics().sends;
  for (int i = 0; i < 100; ++i) js.write(name, patternOf(100, static_cast<uint64_t>(i)));
  js.turn();
  CHECK_EQ(js.loop.metrics().sends, sends + 1);
  CHECK(server.until(peer, [&] { return peer.plain.size() == 10'000; }));
  CHECK_EQ(peer.records, size_t{1});

  // A head, and a body that fills further records.
  peer.records = 0;
  peer.plain.clear();
  js.write(name, "head ");
  js.write(name, patternOf(32 * 1024 - 5, 1));
  js.turn();
  CHECK(server.until(peer, [&] { return peer.plain.size() == 32 * 1024; }));
  CHECK_EQ(peer.records, size_t{2});
  CHECK(peer.plain == "head " + patternOf(32 * 1024 - 5, 1));

  peer.records = 0;
  peer.plain.clear();
  js.write(name, "head ");
  js.write(name, patternOf(1024 * 1024 - 5, 1));
  js.turn();
  CHECK(server.until(peer, [&] { return peer.plain.size() == 1024 * 1024; }));
  CHECK_EQ(peer.records, size_t{64});
  CHECK(peer.plain == "head " + patternOf(1024 * 1024 - 5, 1));
  CHECK_EQ(server.pending(name), 0.0);
}

EACH_ENGINE(tls_filter_sends_more_than_the_socket_takes) {
  NEED_OPENSSL();
  TlsReal server(engine);
  START_TLS_OR_SKIP(server);
  TlsPeer peer(*server.client);
  peer.socket.open();
  peer.socket.setBuffers(20'000);
  CHECK(server.secure(peer));
  const Name name = server.notes.last;
  const std::string much = patternOf(5'000'000, 3);
  server.real.js->write(name, much);
  server.real.js->command(CommandKind::kWantDrain, name, 16 * 1024);
  CHECK(server.until(
      peer, [&] { return server.notes.connections[name].has(EventKind::kDrain); }, 0));
  server.real.js->write(name, "and this");
  server.real.js->command(CommandKind::kClose, name);
  CHECK(server.until(peer, [&] { return peer.ended && server.notes.closed == 1; }));
  CHECK(peer.plain == much + "and this");
}

// TLS 1.3 ends one way alone. In TLS 1.2 our end has to follow the peer's at once.
EACH_ENGINE(tls_filter_ends_one_way_or_both_as_the_version_says) {
  NEED_OPENSSL();
  for (const int version : kBothVersions) {
    TlsReal server(engine);
    server.endsBack = false;
    START_TLS_OR_SKIP(server);
    const auto client = server.clientOf(version);
    TlsPeer peer(*client);
    CHECK(server.secure(peer));
    const Name name = server.notes.last;
    const auto& seen = server.notes.connections[name];
    server.real.js->handler = [&](const Event& event) {
      server.onEvent(event);
      if (event.kind == EventKind::kEnd) server.real.js->write(name, " at once");
    };
    peer.write("last words");
    peer.end();
    CHECK(server.until(peer, [&] { return peer.plain == "last words at once"; }));
    if (version == OpenSsl::kTls13) {
      for (int i = 0; i < 5; ++i) server.real.js->turn();
      server.real.js->write(name, ", later");
      CHECK(server.until(peer, [&] { return peer.plain == "last words at once, later"; }));
      CHECK(!peer.ended);
      server.real.js->command(CommandKind::kEnd, name);
    }
    CHECK(server.until(peer, [&] { return peer.ended && seen.closed(); }));
    CHECK_EQ(seen.error(), 0);
  }
}

EACH_ENGINE(tls_filter_reads_on_when_our_end_was_first) {
  NEED_OPENSSL();
  for (const int version : kBothVersions) {
    TlsReal server(engine);
    server.echoes = false;
    START_TLS_OR_SKIP(server);
    const auto client = server.clientOf(version);
    TlsPeer peer(*client);
    CHECK(server.secure(peer));
    const Name name = server.notes.last;
    server.real.js->write(name, "goodbye");
    server.real.js->command(CommandKind::kEnd, name);
    CHECK(server.until(peer, [&] { return peer.ended && peer.socket.ended; }));
    CHECK_EQ(peer.plain, std::string("goodbye"));
    peer.write("one more thing");
    peer.end();
    const auto& seen = server.notes.connections[name];
    CHECK(server.until(peer, [&] { return seen.closed(); }));
    CHECK_EQ(seen.bytes, std::string("one more thing"));
    CHECK_EQ(seen.error(), 0);
  }
}

EACH_ENGINE(tls_filter_fails_a_connection_that_was_cut_off) {
  NEED_OPENSSL();
  for (const int version : kBothVersions) {
    TlsReal server(engine);
    START_TLS_OR_SKIP(server);
    const auto client = server.clientOf(version);
    TlsPeer peer(*client);
    CHECK(server.secure(peer));
    peer.write("not all of it");
    CHECK(server.until(peer, [&] { return peer.plain == "not all of it"; }));
    peer.socket.shutdown();
    CHECK(server.until(peer, [&] { return server.notes.closed == 1; }));
    const auto& seen = server.notes.connections[server.notes.last];
    CHECK_EQ(seen.error(), kErrorTlsTruncated);
    CHECK(!seen.has(EventKind::kEnd));
    CHECK_EQ(server.filter->counters().truncated, uint64_t{1});
  }
}

EACH_ENGINE(tls_filter_ignores_what_comes_behind_close_notify) {
  NEED_OPENSSL();
  TlsReal server(engine);
  server.endsBack = false;
  server.echoes = false;
  START_TLS_OR_SKIP(server);
  TlsPeer peer(*server.client);
  CHECK(server.secure(peer));
  const Name name = server.notes.last;
  peer.write("first");
  peer.end();
  const std::string wire = peer.takeWire();
  CHECK_EQ(peer.socket.write(wire + std::string(500, 'x')), wire.size() + 500);
  const auto& seen = server.notes.connections[name];
  CHECK(server.until(peer, [&] { return seen.has(EventKind::kEnd); }));
  peer.socket.write(std::string(500, 'y'));
  for (int i = 0; i < 5; ++i) server.real.js->turn();
  CHECK_EQ(seen.bytes, std::string("first"));
  server.real.js->command(CommandKind::kEnd, name);
  CHECK(server.until(peer, [&] { return seen.closed(); }));
  CHECK_EQ(seen.error(), 0);
  CHECK(server.errors.empty());
}

EACH_ENGINE(tls_filter_ends_a_connection_whose_records_are_broken) {
  NEED_OPENSSL();
  for (const int version : kBothVersions) {
    TlsReal server(engine);
    START_TLS_OR_SKIP(server);
    const auto client = server.clientOf(version);
    TlsPeer peer(*client);
    CHECK(server.secure(peer));
    peer.write("some bytes that are changed on their way");
    std::string wire = peer.takeWire();
    wire[wire.size() - 1] ^= 1;
    peer.socket.write(wire);
    CHECK(server.until(peer, [&] { return server.notes.closed == 1; }));
    const auto& seen = server.notes.connections[server.notes.last];
    CHECK_EQ(seen.error(), kErrorTls);
    CHECK(seen.bytes.empty());
    CHECK_EQ(server.errors.size(), size_t{1});
    CHECK_EQ(server.errors[0].kind, TlsFailure::kRecord);
    CHECK_EQ(server.errors[0].alert, uint8_t{20});  // bad_record_mac
    CHECK(!server.errors[0].alertIsPeers);
    CHECK_EQ(server.filter->counters().alertsSent[20], uint64_t{1});
    CHECK(server.until(peer, [&] { return peer.failed; }));
  }
}

EACH_ENGINE(tls_filter_resumes_sessions) {
  NEED_OPENSSL();
  for (const int version : kBothVersions) {
    TlsReal server(engine);
    START_TLS_OR_SKIP(server);
    const auto client = server.clientOf(version);
    tls::OwnedSession session;
    for (int i = 0; i < 4; ++i) {
      TlsPeer peer(*client, session.get());
      CHECK(server.secure(peer));
      peer.write("x");
      CHECK(server.until(peer, [&] { return peer.plain == "x"; }));
      CHECK_EQ(peer.reused(), i > 0);
      const Channel& channel = *server.real.js->channel(server.notes.last);
      CHECK_EQ(server.filter->sessionOf(channel)->resumed(), i > 0);
      if (peer.hooks.session != nullptr) session = std::move(peer.hooks.session);
      CHECK(session != nullptr);
      // Cut off, too: what was resumable stays so.
      if (i == 2) {
        peer.socket.close();
      } else {
        peer.end();
      }
      const uint32_t closed = static_cast<uint32_t>(i) + 1;
      CHECK(server.until(peer, [&] { return server.notes.closed == closed; }));
    }
    CHECK_EQ(server.filter->counters().resumed, uint64_t{3});
  }
}

EACH_ENGINE(tls_filter_serves_a_protocol_inside) {
  NEED_OPENSSL();
  TlsReal server(engine);
  const std::string refused = server.real.start();
  if (!refused.empty()) SKIP(refused.c_str());
  Loop& loop = server.real.js->loop;
  auto made = std::make_unique<LineEcho>(loop.arena(), loop.transport());
  Endpoint endpoint;
  endpoint.protocol = made.get();
  loop.addProtocol(std::move(made));
  auto filter = tls::Filter::make(loop.arena(), loop.eventWriter(), loop.filterHost());
  endpoint.filter = filter.get();
  loop.addProtocol(std::move(filter));
  auto settings = std::make_shared<tls::Settings>();
  settings->context = contextOf(serverOptions(*server.certificate));
  endpoint.filterSettings = settings;
  server.real.listen(endpoint);
  TlsPeer peer(*server.client);
  peer.socket.connect(server.real.port);
  CHECK(server.until(
      peer, [&] { return peer.secure; }, 3));
  peer.write("one\ntw");
  peer.write("o\nthree\nfo");
  peer.end();
  CHECK(server.until(
      peer, [&] { return peer.ended; }, 3));
  CHECK_EQ(peer.plain, std::string("one\ntwo\nthree\nfo"));
}

EACH_ENGINE(tls_filter_of_a_client_speaks_with_one_of_a_server) {
  NEED_OPENSSL();
  for (const int version : kBothVersions) {
    TlsReal server(engine);
    START_TLS_OR_SKIP(server);
    LoopFixture& js = *server.real.js;
    for (int round = 0; round < 2; ++round) {
      auto settings = std::make_shared<tls::Settings>();
      settings->context = server.clientOf(version);
      settings->serverName = "localhost";
      if (round == 1) {
        const std::string& text = server.sessions.back();
        const auto* at = reinterpret_cast<const unsigned char*>(text.data());
        settings->resumed.reset(
            tls::openSsl()->d2i_SSL_SESSION(nullptr, &at, static_cast<long>(text.size())));
      }
      Endpoint endpoint;
      endpoint.filter = server.filter;
      endpoint.filterSettings = settings;
      SocketAddress address;
      SocketAddress::fromIp("127.0.0.1", server.real.port, &address);
      Token token = 0;
      uint32_t id = 0;
      js.loop.connect(address, nullptr, endpoint, 0, &token, &id);
      const Name client{slotOf(token), generationOf(token)};
      std::string got;
      bool connected = false;
      bool closed = false;
      const uint32_t closedBefore = server.notes.closed;
      js.handler = [&](const Event& event) {
        const bool ofTls =
            event.kind >= EventKind::kTlsError && event.kind <= EventKind::kTlsKeylog;
        if (event.name != client || ofTls) {
          server.onEvent(event);
          return;
        }
        if (event.kind == EventKind::kConnected) connected = true;
        if (event.kind == EventKind::kClose) closed = true;
        got += event.bytes;
      };
      CHECK(server.real.until([&] { return connected; }));
      const std::string bytes = patternOf(700'000, 7);
      js.write(client, bytes);
      CHECK(server.real.until([&] { return got.size() == bytes.size(); }));
      CHECK(got == bytes);
      CHECK_EQ(server.filter->sessionOf(*js.channel(client))->resumed(), round == 1);
      CHECK(!server.sessions.empty());
      js.command(CommandKind::kEnd, client);
      CHECK(server.real.until([&] { return closed && server.notes.closed > closedBefore; }));
      CHECK(server.errors.empty());
    }
  }
}

}  // namespace
