// Messages, control frames and closing, on every engine.
#include <string>
#include <vector>

#include "check.h"
#include "random.h"
#include "websocket_fixture.h"

namespace {

using namespace test;

EACH_ENGINE(websocket_echoes_messages_of_every_length) {
  WsReal server(engine);
  START_OR_SKIP(server);
  server.onMessage = [&](const WsMessage& message) { server.echo(message); };
  Peer peer;
  server.accept(peer);
  for (const size_t length : {0, 1, 125, 126, 65535, 65536, 200'000, 700'000}) {
    const std::string payload = patternOf(length, 1);
    const std::string expected = frameOf(2, payload, true, false);
    const std::string sent = frameOf(2, payload);
    size_t at = 0;
    std::string got;
    CHECK(server.until([&] {
      at += peer.write(sent, at);
      return (got += peer.read()).size() >= expected.size();
    }));
    CHECK(got == expected);
    CHECK(server.messages.back().bytes == payload);
  }
  CHECK(!server.mixed);
  CHECK_EQ(server.protocol->counters().messages, 8u);
}

EACH_ENGINE(websocket_messages_are_the_same_however_they_are_split) {
  WsReal server(engine);
  START_OR_SKIP(server);
  Random random(static_cast<uint64_t>(engine) + 1);
  Peer peer;
  server.accept(peer);
  std::vector<std::string> expected;
  std::string sent;
  for (int i = 0; i < 60; ++i) {
    const size_t fragments = random.between(1, 4);
    std::string whole;
    for (size_t j = 0; j < fragments; ++j) {
      const std::string payload = patternOf(random.below(random.oneIn(6) ? 90'000 : 300), j);
      whole += payload;
      sent += frameOf(j == 0 ? 2 : 0, payload, j + 1 == fragments);
      if (random.oneIn(3)) sent += frameOf(9, "between");
    }
    expected.push_back(whole);
  }
  size_t at = 0;
  CHECK(server.until([&] {
    peer.read();
    const size_t piece = random.oneIn(4) ? random.between(1, 20) : random.between(1, 40'000);
    at += peer.write(sent.substr(at, piece));
    return server.messages.size() == expected.size();
  }));
  for (size_t i = 0; i < expected.size(); ++i) CHECK(server.messages[i].bytes == expected[i]);
  CHECK(!server.mixed);
}

EACH_ENGINE(websocket_ping_is_answered_with_its_payload) {
  WsReal server(engine);
  server.settings.pingEvents = server.settings.pongEvents = true;
  START_OR_SKIP(server);
  Peer peer;
  server.accept(peer);
  peer.write(frameOf(9, "are you there") + frameOf(10, "unasked"));
  const std::string expected = frameOf(10, "are you there", true, false);
  CHECK(server.readAll(peer, expected.size()) == expected);
  CHECK(server.until([&] { return server.pongs.size() == 1; }));
  CHECK_EQ(server.pings.at(0), std::string("are you there"));
  CHECK_EQ(server.pongs.at(0), std::string("unasked"));
}

EACH_ENGINE(websocket_close_is_answered_behind_what_handlers_send) {
  WsReal server(engine);
  START_OR_SKIP(server);
  server.onMessage = [&](const WsMessage& message) { server.echo(message); };
  Peer peer;
  server.accept(peer);
  peer.write(frameOf(1, "last words") + closeFrame(1000, "bye") + frameOf(1, "too late"));
  const std::string expected = frameOf(1, "last words", true, false) + closeFrame(1000, "", false);
  CHECK(server.readAll(peer, SIZE_MAX) == expected);
  CHECK(peer.ended);
  peer.close();
  CHECK(server.until([&] { return server.closed == 1; }));
  CHECK_EQ(server.messages.size(), 1u);
  CHECK_EQ(server.closings.size(), 1u);
  CHECK_EQ(server.closings[0], closing(WsClosingCause::kPeer, 1000));
  CHECK_EQ(server.reasons[0], std::string("bye"));
  CHECK_EQ(server.protocol->counters().connections, 0u);
}

EACH_ENGINE(websocket_close_without_a_code_is_answered_by_one_without) {
  WsReal server(engine);
  START_OR_SKIP(server);
  Peer peer;
  server.accept(peer);
  peer.write(frameOf(8, ""));
  CHECK(server.readAll(peer, SIZE_MAX) == frameOf(8, "", true, false));
  peer.close();
  CHECK(server.until([&] { return server.closed == 1; }));
  CHECK_EQ(server.closings.at(0), closing(WsClosingCause::kPeer, 1005));
}

EACH_ENGINE(websocket_close_of_ours_waits_for_the_peers) {
  WsReal server(engine);
  START_OR_SKIP(server);
  Peer peer;
  const Name name = server.accept(peer);
  server.real.js->command(CommandKind::kWsClose, name, 4001, 0, 0);
  // No reason was staged: any place in the staging block will do.
  const std::string expected = closeFrame(4001, "", false);
  CHECK(server.readAll(peer, expected.size()) == expected);
  CHECK(!peer.ended);
  CHECK_EQ(server.closed, 0u);
  peer.write(frameOf(2, "still on its way") + closeFrame(4001));
  CHECK(server.readAll(peer, 1).empty());
  CHECK(peer.ended);
  peer.close();
  CHECK(server.until([&] { return server.closed == 1; }));
  CHECK_EQ(server.messages.size(), 1u);
  CHECK_EQ(server.closings.at(0), closing(WsClosingCause::kPeer, 4001));
}

EACH_ENGINE(websocket_violation_ends_with_its_code) {
  const struct {
    std::string sent;
    uint32_t code;
  } kCases[] = {
      {std::string("\x83\x80\0\0\0\0", 6), 1002},
      {frameOf(1, "abc\xff"), 1007},
      {frameOf(1, "\xe2\x82", false) + frameOf(0, "x", true), 1007},
      {frameOf(1, "\xe2\x82"), 1007},
      {frameOf(2, std::string(2000, 'x')), 1009},
      {frameOf(8, "x"), 1002},
      {closeFrame(1005), 1002},
      {closeFrame(1000, "\xff"), 1007},
  };
  for (const auto& each : kCases) {
    WsReal server(engine);
    server.settings.maxPayload = 1000;
    START_OR_SKIP(server);
    server.onMessage = [&](const WsMessage& message) { server.echo(message); };
    Peer peer;
    server.accept(peer);
    peer.write(frameOf(1, "before") + each.sent);
    const std::string expected =
        frameOf(1, "before", true, false) + closeFrame(static_cast<int>(each.code), "", false);
    CHECK(server.readAll(peer, SIZE_MAX) == expected);
    peer.close();
    CHECK(server.until([&] { return server.closed == 1; }));
    CHECK_EQ(server.closings.size(), 1u);
    CHECK_EQ(server.closings[0], closing(WsClosingCause::kViolation, each.code));
  }
}

EACH_ENGINE(websocket_end_without_a_close_frame_lets_answers_leave) {
  WsReal server(engine);
  START_OR_SKIP(server);
  server.onMessage = [&](const WsMessage& message) { server.echo(message); };
  Peer peer;
  server.accept(peer);
  peer.write(frameOf(1, "and gone"));
  peer.shutdown();
  CHECK(server.readAll(peer, SIZE_MAX) == frameOf(1, "and gone", true, false));
  CHECK(server.until([&] { return server.closed == 1; }));
  CHECK(server.closings.empty());
}

EACH_ENGINE(websocket_peer_that_does_not_close_is_closed_in_time) {
  WsReal server(engine);
  server.settings.closeMs = 50;
  START_OR_SKIP(server);
  Peer peer;
  const Name name = server.accept(peer);
  server.real.js->command(CommandKind::kWsClose, name, 1000, 0, 0);
  CHECK(server.until([&] { return server.closed == 1; }));
  Peer other;
  server.accept(other);
  other.write(closeFrame(1000));  // and no FIN
  CHECK(server.until([&] { return server.closed == 2; }));
}

EACH_ENGINE(websocket_heartbeat_pings_and_finds_the_dead) {
  WsReal server(engine);
  server.settings.pingMs = 20;
  server.settings.deadMs = 80;
  START_OR_SKIP(server);
  Peer silent;
  server.accept(silent);
  Peer alive;
  server.accept(alive);
  std::string pings;
  CHECK(server.until([&] {
    const std::string got = alive.read();
    for (size_t i = 0; i + 1 < got.size(); i += 2) alive.write(frameOf(10, ""));
    pings += got;
    silent.read();
    return server.closed == 1 && pings.size() >= 12;
  }));
  CHECK_EQ(server.closings.size(), 1u);
  CHECK_EQ(server.closings[0], closing(WsClosingCause::kDead, 1006));
  CHECK_EQ(pings.substr(0, 2), frameOf(9, "", true, false));
  CHECK(silent.error != 0 || silent.ended);
}

// Of connections that were made one after the other: a 64th of the interval is 10 ms.
EACH_ENGINE(websocket_pings_of_several_connections_leave_together) {
  constexpr size_t kPeers = 10;
  constexpr uint64_t kApartMs = 4;
  constexpr uint64_t kTogetherMs = 10;
  WsReal server(engine);
  server.settings.pingMs = 640;
  server.settings.deadMs = 0;
  START_OR_SKIP(server);
  std::vector<std::unique_ptr<Peer>> peers;
  const uint64_t firstMs = server.real.js->loop.now();
  for (size_t i = 0; i < kPeers; ++i) {
    peers.push_back(std::make_unique<Peer>());
    server.accept(*peers.back());
    const uint64_t next = server.real.js->loop.now() + kApartMs;
    CHECK(server.until([&] { return server.real.js->loop.now() >= next; }));
  }
  // A slow machine takes longer to accept them, and reads a group in pieces.
  const uint64_t spanMs = server.real.js->loop.now() - firstMs;
  std::vector<uint64_t> times;
  size_t pings = 0;
  CHECK(server.until([&] {
    size_t got = 0;
    for (auto& peer : peers) got += peer->read().size() / 2;
    const uint64_t nowMs = server.real.js->loop.now();
    if (got > 0 && (times.empty() || nowMs - times.back() >= kTogetherMs / 2)) {
      times.push_back(nowMs);
    }
    pings += got;
    return pings >= kPeers;
  }));
  CHECK_EQ(pings, kPeers);
  CHECK(times.size() <= spanMs / kTogetherMs + 2);
}

EACH_ENGINE(websocket_only_pongs_are_life_when_they_are_asked_for) {
  WsReal server(engine);
  server.settings.mode = ws::HeartbeatMode::kAck;
  server.settings.pingMs = 20;
  server.settings.deadMs = 80;
  START_OR_SKIP(server);
  Peer peer;
  server.accept(peer);
  CHECK(server.until([&] {
    peer.read();
    peer.write(frameOf(1, "x"));
    return server.closed == 1;
  }));
  CHECK_EQ(server.closings.at(0), closing(WsClosingCause::kDead, 1006));
}

EACH_ENGINE(websocket_idle_connection_is_told_and_closed) {
  WsReal server(engine);
  server.settings.pingMs = 10;
  server.settings.idleMs = 60;
  START_OR_SKIP(server);
  Peer peer;
  server.accept(peer);
  std::string got;
  CHECK(server.until([&] {
    const std::string more = peer.read();
    if (!more.empty()) peer.write(frameOf(10, ""));  // pongs are no messages
    got += more;
    return peer.ended;
  }));
  const std::string goodbye = closeFrame(1001, "", false);
  CHECK_EQ(got.substr(got.size() - goodbye.size()), goodbye);
  CHECK_EQ(server.closings.at(0), closing(WsClosingCause::kIdle, 1001));
}

// 128 KB of frames without payload are some 20,000 of them: no turn may take them all.
EACH_ENGINE(websocket_frames_of_one_connection_in_a_turn_are_bounded) {
  WsReal server(engine);
  START_OR_SKIP(server);
  Peer peer;
  server.accept(peer);
  std::string sent;
  for (int i = 0; i < 20'000; ++i) sent += frameOf(2, "");
  size_t at = 0;
  size_t mostInTurn = 0;
  size_t before = 0;
  CHECK(server.until([&] {
    at += peer.write(sent, at);
    mostInTurn = std::max(mostInTurn, server.messages.size() - before);
    before = server.messages.size();
    return server.messages.size() == 20'000;
  }));
  CHECK(mostInTurn > 0 && mostInTurn <= ws::kFramesPerTurnMax);
}

EACH_ENGINE(websocket_ping_flood_of_a_peer_that_does_not_read_fills_no_memory) {
  WsReal server(engine);
  START_OR_SKIP(server);
  Peer peer;
  peer.open();
  peer.setBuffers(4096);
  const Name name = server.accept(peer);
  std::string sent;
  for (int i = 0; i < 1000; ++i) sent += frameOf(9, patternOf(125, static_cast<uint64_t>(i)));
  size_t total = 0;
  size_t most = 0;
  size_t at = 0;
  size_t reached = 0;  // what it took to come to the limit
  CHECK(server.until([&] {
    for (int i = 0; i < 20; ++i) {
      const size_t taken = peer.write(sent, at);
      at = (at + taken) % sent.size();
      total += taken;
    }
    most = std::max(most, static_cast<size_t>(server.real.js->host.pending[name.slot]));
    if (reached == 0 && most > ws::kPongUnsentMax / 2) reached = total;
    return reached > 0 && total > reached + (4u << 20);
  }));
  CHECK(most <= ws::kPongUnsentMax + 256);
  // Now it reads, and gets the answer to its last ping at last.
  const std::string rest = sent.substr(at) + frameOf(9, "last");
  at = 0;
  std::string tail;
  CHECK(server.until([&] {
    at += peer.write(rest, at);
    tail += peer.read();
    if (tail.size() > 1000) tail.erase(0, tail.size() - 1000);
    return tail.ends_with(frameOf(10, "last", true, false));
  }));
}

EACH_ENGINE(websocket_bytes_wait_while_reading_is_paused) {
  WsReal server(engine);
  START_OR_SKIP(server);
  Peer peer;
  const Name name = server.accept(peer);
  std::string sent;
  for (int i = 0; i < 3000; ++i) sent += frameOf(2, "");
  peer.write(sent);
  CHECK(server.until([&] { return server.messages.size() >= 100; }));
  // Of what was received the rest is held for the next turn: pausing holds it on.
  server.real.js->command(CommandKind::kPause, name);
  server.real.js->turn();
  const size_t then = server.messages.size();
  for (int i = 0; i < 20; ++i) server.real.js->turn();
  CHECK_EQ(server.messages.size(), then);
  server.real.js->command(CommandKind::kResume, name);
  CHECK(server.until([&] { return server.messages.size() == 3000; }));
}

EACH_ENGINE(websocket_client_masks_what_it_sends) {
  WsReal client(engine);
  client.settings.role = ws::Role::kClient;
  START_OR_SKIP(client);
  Peer peer;
  const Name name = client.accept(peer);
  const std::string payload = patternOf(100'000, 3);
  CHECK(client.protocol->send(client.channel(name),
                              reinterpret_cast<const uint8_t*>(payload.data()), payload.size(),
                              ws::Opcode::kBinary, false));
  const size_t bytes = payload.size() + 14;
  const std::string got = client.readAll(peer, bytes);
  CHECK_EQ(got.size(), bytes);
  uint32_t key = 0;
  for (int i = 10; i < 14; ++i) key = key << 8 | static_cast<uint8_t>(got[static_cast<size_t>(i)]);
  CHECK(key != 0);
  CHECK(got == frameOf(2, payload, true, true, key));
  // A client waits for the server to end the connection.
  peer.write(closeFrame(1000, "", false));
  const std::string answer = client.readAll(peer, 8);
  CHECK_EQ(answer.size(), 8u);
  for (int i = 0; i < 5; ++i) client.real.js->turn();
  peer.read();
  CHECK(!peer.ended);
  peer.close();
  CHECK(client.until([&] { return client.closed == 1; }));
}

EACH_ENGINE(websocket_bytes_behind_the_handshake_are_parsed_in_order) {
  WsReal server(engine);
  START_OR_SKIP(server);
  Peer peer;
  const Name name = server.accept(peer);
  const std::string first = frameOf(1, "first");
  const auto feed = [&](const std::string& bytes) {
    return server.protocol->feed(server.channel(name),
                                 reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  };
  CHECK(feed(first.substr(0, 4)));
  CHECK(feed(first.substr(4)));
  peer.write(frameOf(1, "second"));
  CHECK(server.until([&] { return server.messages.size() == 2; }));
  CHECK_EQ(server.messages[0].bytes, std::string("first"));
  CHECK_EQ(server.messages[1].bytes, std::string("second"));
}

EACH_ENGINE(websocket_connection_that_ends_in_a_message_leaves_no_memory_behind) {
  WsReal server(engine);
  START_OR_SKIP(server);
  uint32_t before = 0;
  for (int i = 0; i < 50; ++i) {
    // The first connection has made what the loop and its engine keep.
    if (i == 1) before = server.real.js->loop.arenaStats().outstanding;
    Peer peer;
    server.accept(peer);
    peer.write(frameOf(2, std::string(5000, 'x'), false) + frameOf(2, "y").substr(0, 3));
    for (int j = 0; j < 3; ++j) server.real.js->turn();
    if (i % 2 == 0) peer.reset();
  }
  CHECK(server.until([&] { return server.closed == 50; }));
  server.real.js->turn();
  CHECK(server.real.js->loop.arenaStats().outstanding <= before);
}

}  // namespace
