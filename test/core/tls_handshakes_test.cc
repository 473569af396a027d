// Handshakes that fail, that are not TLS, that come in great numbers, or that wait for an answer.
#include <cerrno>

#include "core/tls/filter.h"
#include "random.h"
#include "tls_real.h"

namespace {

using namespace test;
using tls::OpenSsl;

EACH_ENGINE(tls_handshake_that_the_client_refuses_is_told_with_its_alert) {
  NEED_OPENSSL();
  for (const int version : {OpenSsl::kTls12, OpenSsl::kTls13}) {
    TlsReal server(engine);
    START_TLS_OR_SKIP(server);
    const Certificate other({});
    const auto client = contextOf(withVersion(clientOptions(other), version));
    TlsPeer peer(*client);
    peer.socket.connect(server.real.port);
    CHECK(server.until(peer,
                       [&] { return peer.failed && server.filter->counters().connections == 0; }));
    if (version == OpenSsl::kTls13) {
      // The server was done before the client's alert came, or not: it is the kernel's choice.
      CHECK(server.errors.size() == 1);
    } else {
      CHECK_EQ(server.errors.size(), size_t{1});
    }
    CHECK_EQ(server.errors[0].kind, TlsFailure::kHandshake);
    CHECK(server.errors[0].alertIsPeers);
    CHECK_EQ(server.errors[0].alert, uint8_t{48});  // unknown_ca
    CHECK_EQ(server.errors[0].address, std::string("127.0.0.1"));
    CHECK_EQ(server.notes.opened, 0u);
    CHECK_EQ(server.notes.closed, 0u);
    CHECK_EQ(server.filter->counters().failures, uint64_t{1});
    CHECK_EQ(server.filter->counters().alertsReceived[48], uint64_t{1});
  }
}

EACH_ENGINE(tls_handshake_without_anything_in_common_is_told_to_both) {
  NEED_OPENSSL();
  TlsReal server(engine);
  START_TLS_OR_SKIP(server,
                    contextOf(withVersion(serverOptions(*server.certificate), OpenSsl::kTls13)));
  const auto client = server.clientOf(OpenSsl::kTls12);
  TlsPeer peer(*client);
  peer.socket.connect(server.real.port);
  CHECK(server.until(peer, [&] { return peer.failed && !server.errors.empty(); }));
  CHECK_EQ(server.errors[0].alert, uint8_t{70});  // protocol_version
  CHECK(!server.errors[0].alertIsPeers);
  CHECK(peer.reason.find("protocol version") != std::string::npos);
}

EACH_ENGINE(tls_handshake_asks_clients_for_certificates) {
  NEED_OPENSSL();
  const Certificate authority({.commonName = "authority", .names = "", .authority = true});
  const Certificate good({.commonName = "good", .names = "", .serial = 2}, &authority);
  const Certificate other({.commonName = "other", .names = ""});
  for (const Certificate* own : {static_cast<const Certificate*>(nullptr), &good, &other}) {
    TlsReal server(engine);
    tls::ContextOptions options = serverOptions(*server.certificate);
    options.requestCertificate = true;
    options.ownAuthorities = true;
    options.authorities.push_back(bytesOf(authority.pem()));
    START_TLS_OR_SKIP(server, contextOf(std::move(options)));
    tls::ContextOptions asked = clientOptions(*server.certificate);
    if (own != nullptr) {
      asked.certificates.push_back(bytesOf(own->pem()));
      asked.keys.push_back(keyOf(own->keyPem()));
    }
    const auto client = contextOf(std::move(asked));
    TlsPeer peer(*client);
    peer.socket.connect(server.real.port);
    if (own == &good) {
      CHECK(server.until(peer, [&] { return server.notes.opened == 1; }));
      continue;
    }
    CHECK(server.until(peer, [&] { return peer.failed && server.errors.size() == 1; }));
    CHECK_EQ(server.notes.opened, 0u);
    CHECK_EQ(server.errors[0].alert, uint8_t{own == nullptr ? uint8_t{116} : uint8_t{48}});
    if (own != nullptr) CHECK(server.errors[0].verify != 0);
  }
}

EACH_ENGINE(tls_handshake_takes_no_plain_http) {
  NEED_OPENSSL();
  for (const bool httpInside : {false, true}) {
    TlsReal server(engine);
    START_TLS_OR_SKIP(server);
    server.settings->httpInside = httpInside;
    Peer peer(server.real.port);
    peer.write("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    std::string got;
    CHECK(server.real.until([&] {
      got += peer.read();
      return peer.ended || peer.error != 0;
    }));
    CHECK_EQ(server.errors.size(), size_t{1});
    CHECK_EQ(server.errors[0].kind, TlsFailure::kPlainHttp);
    if (httpInside) {
      CHECK_EQ(got.substr(0, 26), std::string("HTTP/1.1 400 Bad Request\r\n"));
      CHECK(got.size() > 57 && got.substr(got.size() - 57).find("HTTPS") != std::string::npos);
      CHECK_EQ(got.find("\r\n\r\n") + 4 + 57, got.size());
    } else {
      CHECK(got.empty());
    }
  }
}

EACH_ENGINE(tls_handshake_takes_nothing_else_either) {
  NEED_OPENSSL();
  for (const std::string& bytes :
       {std::string("\x00\x01\x02", 3), std::string(300, '\xff'),
        std::string("\x15\x03\x01\x00\x02\x02\x28", 7),
        std::string("\x16\x03\x01\xff\xff", 5) + std::string(70'000, 'a'),
        std::string("\x16\x03\x01\x00\x05hello", 10)}) {
    TlsReal server(engine);
    START_TLS_OR_SKIP(server);
    Peer peer(server.real.port);
    peer.write(bytes);
    CHECK(server.real.until([&] {
      peer.read();
      return (peer.ended || peer.error != 0) && server.filter->counters().connections == 0;
    }));
    CHECK_EQ(server.errors.size(), size_t{1});
    CHECK_EQ(server.notes.opened, 0u);
  }
}

EACH_ENGINE(tls_handshake_has_a_limit_of_bytes) {
  NEED_OPENSSL();
  TlsReal server(engine);
  START_TLS_OR_SKIP(server);
  Peer peer(server.real.port);
  // A ClientHello that says it is long, in records that each hold one byte of it.
  std::string flood("\x16\x03\x01\x00\x04\x01\x00\xff\xff", 9);
  while (flood.size() < 2 * tls::kHandshakeBytesMax) {
    flood += std::string("\x16\x03\x01\x00\x01\x00", 6);
  }
  size_t at = 0;
  CHECK(server.real.until([&] {
    if (peer.error == 0 && at < flood.size()) at += peer.write(flood, at);
    return server.errors.size() == 1;
  }));
  CHECK_EQ(server.errors[0].kind, TlsFailure::kTooLong);
  // Some was on its way already, by the ring as much as its buffers hold.
  constexpr uint64_t onItsWay = kTurnBytesMax + kProvidedBuffers * kProvidedBufferBytes;
  CHECK(server.real.js->loop.metrics().bytesRead < tls::kHandshakeBytesMax + onItsWay);
}

EACH_ENGINE(tls_handshake_has_a_limit_of_time) {
  NEED_OPENSSL();
  TlsReal server(engine);
  START_TLS_OR_SKIP(server);
  server.settings->handshakeMs = 50;
  TlsPeer peer(*server.client);
  peer.socket.connect(server.real.port);
  peer.pump(20);
  CHECK(server.real.until([&] { return server.errors.size() == 1; }));
  CHECK_EQ(server.errors[0].kind, TlsFailure::kTimeout);
  CHECK(server.real.until([&] { return server.filter->counters().connections == 0; }));
  CHECK_EQ(server.notes.opened, 0u);
}

EACH_ENGINE(tls_handshake_may_end_in_the_middle) {
  NEED_OPENSSL();
  for (const bool resets : {false, true}) {
    for (const size_t bytes : {size_t{0}, size_t{1}, size_t{100}}) {
      TlsReal server(engine);
      START_TLS_OR_SKIP(server);
      TlsPeer peer(*server.client);
      peer.socket.connect(server.real.port);
      CHECK(server.real.until([&] { return server.filter->counters().connections == 1; }));
      peer.pump(bytes);
      for (int i = 0; i < 3; ++i) server.real.js->turn();
      if (resets) {
        peer.socket.reset();
      } else {
        peer.socket.close();
      }
      CHECK(server.real.until([&] { return server.filter->counters().connections == 0; }));
      server.real.js->turn();
      CHECK_EQ(server.errors.size(), size_t{1});
      CHECK(server.errors[0].kind == TlsFailure::kEnded ||
            server.errors[0].kind == TlsFailure::kNetwork);
      CHECK(server.notes.connections.empty());
    }
  }
}

EACH_ENGINE(tls_handshakes_take_turns) {
  NEED_OPENSSL();
  TlsReal server(engine);
  START_TLS_OR_SKIP(server);
  TlsPeer live(*server.client);
  CHECK(server.secure(live));
  constexpr size_t kMany = 60;
  std::vector<std::unique_ptr<TlsPeer>> peers;
  for (size_t i = 0; i < kMany; ++i) {
    peers.push_back(std::make_unique<TlsPeer>(*server.client));
    peers.back()->socket.connect(server.real.port);
    peers.back()->pump();  // its ClientHello waits to be read
  }
  uint64_t before = 0;
  size_t turnsToLive = 0;
  live.write("live");
  live.pump();
  bool all = false;
  for (int turns = 0; turns < 2000 && !all; ++turns) {
    server.real.js->turn();
    const uint64_t done = server.filter->counters().handshakes - 1;
    CHECK(done - before <= tls::kHandshakeStepsPerTurn);
    before = done;
    live.pump();
    if (live.plain != "live") ++turnsToLive;
    all = done == kMany;
    for (auto& peer : peers) peer->pump();
  }
  CHECK(all);
  CHECK(server.filter->counters().deferred > 0);
  CHECK(turnsToLive < 10);
}

EACH_ENGINE(tls_handshakes_that_never_go_on_cost_nobody_else) {
  NEED_OPENSSL();
  TlsReal server(engine);
  START_TLS_OR_SKIP(server);
  std::vector<Peer> silent;
  TlsPeer hello(*server.client);
  hello.pump(0);
  for (int i = 0; i < 300; ++i) {
    silent.emplace_back(server.real.port);
    // Some say nothing, some stop within or behind their ClientHello.
    TlsPeer one(*server.client);
    one.pump(0);
    const std::string wire = one.takeWire();
    silent.back().write(wire.substr(0, static_cast<size_t>(i % 3) * wire.size() / 2));
  }
  TlsPeer peer(*server.client);
  CHECK(server.secure(peer));
  peer.write("served");
  CHECK(server.until(peer, [&] { return peer.plain == "served"; }));
  CHECK_EQ(server.notes.opened, 1u);
  CHECK(server.real.until([&] { return server.filter->counters().connections == 301; }));
  silent.clear();
  CHECK(server.real.until([&] { return server.filter->counters().connections == 1; }));
  CHECK_EQ(server.errors.size(), size_t{300});
}

EACH_ENGINE(tls_handshake_waits_for_a_context_by_name) {
  NEED_OPENSSL();
  const Certificate other({.commonName = "other", .names = "DNS:other.example"});
  for (const bool refuses : {false, true}) {
    TlsReal server(engine);
    START_TLS_OR_SKIP(server);
    server.settings->asksForNames = true;
    const auto chosen = contextOf(serverOptions(other));
    const auto client = contextOf(clientOptions(other));
    Name asking;
    server.nameAsked = [&](const Event& event) { asking = event.name; };
    TlsPeer peer(*client, nullptr, "Other.Example");
    peer.socket.connect(server.real.port);
    CHECK(server.until(
        peer, [&] { return server.names.size() == 1; }, 50));
    CHECK_EQ(server.names[0], std::string("other.example"));
    for (int i = 0; i < 5; ++i) {
      peer.pump();
      server.real.js->turn();
    }
    CHECK(!peer.secure && server.notes.opened == 0);
    Channel* channel = server.real.js->channel(asking);
    server.filter->nameAnswered(*channel, refuses ? nullptr : chosen, refuses);
    server.filter->nameAnswered(*channel, chosen, false);  // the first answer counts
    if (refuses) {
      CHECK(server.until(peer, [&] { return peer.failed && server.errors.size() == 1; }));
      CHECK_EQ(server.errors[0].kind, TlsFailure::kServerName);
      CHECK_EQ(server.errors[0].alert, uint8_t{112});
      continue;
    }
    CHECK(server.until(peer, [&] { return peer.secure && server.notes.opened == 1; }));
    peer.write("hello");
    CHECK(server.until(peer, [&] { return peer.plain == "hello"; }));
    CHECK_EQ(server.names.size(), size_t{1});
  }
}

EACH_ENGINE(tls_handshake_that_waits_for_a_name_may_be_over_before_the_answer) {
  NEED_OPENSSL();
  TlsReal server(engine);
  START_TLS_OR_SKIP(server);
  server.settings->asksForNames = true;
  TlsPeer peer(*server.client);
  peer.socket.connect(server.real.port);
  CHECK(server.until(peer, [&] { return server.names.size() == 1; }));
  peer.socket.reset();
  CHECK(server.real.until([&] { return server.filter->counters().connections == 0; }));
}

EACH_ENGINE(tls_refuses_to_negotiate_again_and_again) {
  NEED_OPENSSL();
  TlsReal server(engine);
  START_TLS_OR_SKIP(server);
  TlsPeer peer(*server.client);
  CHECK(server.secure(peer));
  // Key updates in any number that somebody would need.
  for (uint32_t i = 0; i < tls::kLaterMessagesMax / 2; ++i) peer.updateKeys(i % 2 == 0);
  peer.write("still here");
  CHECK(server.until(peer, [&] { return peer.plain == "still here"; }));
  for (uint32_t i = 0; i < 2 * tls::kLaterMessagesMax; ++i) peer.updateKeys(false);
  CHECK(server.until(peer, [&] { return server.notes.closed == 1; }));
  CHECK_EQ(server.errors.size(), size_t{1});
  CHECK_EQ(server.errors[0].kind, TlsFailure::kTooManyMessages);
}

EACH_ENGINE(tls_stop_in_the_middle_of_handshakes_leaves_nothing) {
  NEED_OPENSSL();
  for (int round = 0; round < 5; ++round) {
    TlsReal server(engine);
    START_TLS_OR_SKIP(server);
    std::vector<std::unique_ptr<TlsPeer>> peers;
    for (int i = 0; i < 20; ++i) {
      peers.push_back(std::make_unique<TlsPeer>(*server.client));
      peers.back()->socket.connect(server.real.port);
      peers.back()->pump(static_cast<size_t>(i * 30));
    }
    for (int i = 0; i < round; ++i) {
      server.real.js->turn();
      for (auto& peer : peers) peer->pump();
    }
    CHECK(server.real.js->loop.stop());
  }
}

EACH_ENGINE(tls_listener_that_stops_lets_handshakes_finish) {
  NEED_OPENSSL();
  TlsReal server(engine);
  START_TLS_OR_SKIP(server);
  TlsPeer peer(*server.client);
  peer.socket.connect(server.real.port);
  peer.pump(10);
  CHECK(server.real.until([&] { return server.filter->counters().connections == 1; }));
  server.real.js->loop.closeListener(server.real.endpoint, true);
  CHECK(server.until(peer, [&] { return peer.secure && server.notes.opened == 1; }));
  CHECK(server.until(peer, [&] { return server.notes.listenerClosed; }));
  peer.write("served");
  CHECK(server.until(peer, [&] { return peer.plain == "served"; }));
}

// With the ring it is closing for a turn or two.
EACH_ENGINE(tls_listener_that_stops_leaves_a_handshake_alone_that_is_closing) {
  NEED_OPENSSL();
  TlsReal server(engine);
  START_TLS_OR_SKIP(server);
  Peer peer;
  peer.connect(server.real.port);
  server.real.js->handler = [&](const Event& event) {
    server.onEvent(event);
    if (event.kind != EventKind::kTlsError) return;
    server.real.js->loop.closeListener(server.real.endpoint, true);
  };
  CHECK(server.real.until([&] { return server.filter->counters().connections == 1; }));
  peer.write("this is no TLS");
  CHECK(server.real.until([&] {
    peer.read();
    return !server.errors.empty() && server.notes.listenerClosed;
  }));
  CHECK(server.real.until([&] { return server.filter->counters().connections == 0; }));
}

EACH_ENGINE(tls_tells_its_secrets_only_when_asked) {
  NEED_OPENSSL();
  for (const bool asked : {false, true}) {
    TlsReal server(engine);
    tls::ContextOptions options = serverOptions(*server.certificate);
    options.keylog = asked;
    START_TLS_OR_SKIP(server, contextOf(std::move(options)));
    TlsPeer peer(*server.client);
    CHECK(server.secure(peer));
    server.real.js->turn();
    CHECK_EQ(server.keylog.empty(), !asked);
    if (asked) CHECK_EQ(server.keylog[0].substr(0, 6), std::string("SERVER"));
  }
}

}  // namespace
