// The HTTP server of the core against a fake loop: what it holds, what it gives back, and when.
#include "core/http/server/server.h"

#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check.h"
#include "core/memory/receive_buffers.h"
#include "http_fake_loop.h"
#include "malloc_slabs.h"
#include "random.h"

namespace {

using namespace ringpoll;
using namespace ringpoll::http;
using test::FakeLoop;

struct Bench {
  explicit Bench(uint32_t headWords = kHeadTableWords) : heads(headWords) {
    loop.arena = &arena;
    loop.buffers = &buffers;
    loop.channel = &channel;
    channel.type = ChannelType::kConnection;
    channel.state = ChannelState::kOpen;
    server = std::make_unique<Server>(arena, events, loop, heads.data(), headWords);
    channel.protocol = server.get();
    server->open(channel, &profile, now);
  }
  ~Bench() { finish(); }

  void finish() {
    if (server == nullptr) return;
    if (channel.protocolState != nullptr) server->closed(channel);
    server->endTurn();
    server.reset();
    buffers.endTurn();
  }

  // What the kernel would have read, in memory that is used again with the next turn.
  void receive(std::string_view text) {
    while (!text.empty() && channel.state == ChannelState::kOpen) {
      ReceiveBuffers::Room room;
      if (!buffers.room(&room)) {
        turn();
        continue;
      }
      const uint32_t bytes =
          text.size() < room.bytes ? static_cast<uint32_t>(text.size()) : room.bytes;
      std::memcpy(room.at, text.data(), bytes);
      buffers.commit(bytes);
      server->received(channel, {room.block, room.offset, bytes}, now);
      text.remove_prefix(bytes);
    }
  }

  // JavaScript walks the events; then the turn is over, and the next one begins.
  void turn() {
    do {
      const uint32_t count = events.beginDelivery();
      for (uint32_t i = 0; i < count; ++i) walk(&records[i * kRecordWords]);
      events.endDelivery();
    } while (events.overflowing());
    for (uint32_t i = 0; answering && i < unanswered; ++i) server->responded(channel, now);
    if (answering) unanswered = 0;
    server->endFlush();
    server->endTurn();
    buffers.endTurn();
    server->beginTurn(now);
  }

  void walk(const int32_t* words) {
    const auto kind = static_cast<EventKind>(words[0]);
    const uint8_t* slab = slabs.slab(static_cast<uint32_t>(words[3]));
    switch (kind) {
      case EventKind::kRequest: {
        const uint8_t* head = slab + words[4];
        const uint32_t* record = heads.data() + words[6];
        requests.emplace_back(reinterpret_cast<const char*>(head) + record[kRecordTargetOffset],
                              record[kRecordTargetLength]);
        keepAlive.push_back((record[kRecordFlags] & kFlagKeepAlive) != 0);
        ++unanswered;
        break;
      }
      case EventKind::kBody:
      case EventKind::kData:
        body.append(reinterpret_cast<const char*>(slab) + words[4],
                    static_cast<uint32_t>(words[5]));
        break;
      case EventKind::kTrailers:
        trailers += words[5];
        break;
      case EventKind::kBodyFilled:
        filled += words[3];
        break;
      case EventKind::kBodyEnd:
        ++bodies;
        break;
      case EventKind::kHttpError:
        errors.push_back(static_cast<HttpError>(words[3]));
        break;
      case EventKind::kEnd:
        ends.push_back(words[3]);
        break;
      default:
        break;
    }
  }

  test::MallocSlabs slabs;
  Arena arena{slabs, true};
  ReceiveBuffers buffers{arena};
  std::vector<int32_t> control = std::vector<int32_t>(kControlWords);
  std::vector<int32_t> records = std::vector<int32_t>(kEventCapacity * kRecordWords);
  EventWriter events{{control.data(), records.data(), nullptr}};
  std::vector<uint32_t> heads;
  FakeLoop loop;
  Profile profile;
  Channel channel;
  std::unique_ptr<Server> server;
  uint64_t now = 1'000'000;

  bool answering = true;
  uint32_t unanswered = 0;
  std::vector<std::string> requests;
  std::vector<bool> keepAlive;
  std::string body;
  int trailers = 0;
  int bodies = 0;
  int filled = 0;
  std::vector<HttpError> errors;
  std::vector<int> ends;
};

std::string get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

std::string path(int i) { return "/" + std::to_string(i); }

TEST(http_server_names_requests_in_order_however_they_are_cut) {
  std::string text;
  for (size_t i = 0; i < 20; ++i) {
    text += get(path(static_cast<int>(i)), "X-Field: " + std::string(i * 13, 'x') + "\r\n");
  }
  test::Random random(7);
  for (int round = 0; round < 200; ++round) {
    Bench bench;
    for (size_t at = 0; at < text.size();) {
      const size_t size = 1 + random.below(round < 100 ? 40 : 2000);
      bench.receive(std::string_view(text).substr(at, size));
      at += size;
      if (random.below(2) == 0) bench.turn();
    }
    bench.turn();
    CHECK_EQ(bench.requests.size(), 20u);
    for (int i = 0; i < 20; ++i) CHECK_EQ(bench.requests[static_cast<size_t>(i)], path(i));
    CHECK(bench.errors.empty());
    bench.finish();
    CHECK(bench.arena.stats().outstanding <= 1);  // the warm receive block
  }
}

TEST(http_server_stops_reading_at_too_many_unanswered_requests) {
  Bench bench;
  bench.answering = false;
  std::string text;
  const int count = 1000;
  for (int i = 0; i < count; ++i) text += get(path(i));
  bench.receive(text);
  bench.turn();
  CHECK_EQ(bench.requests.size(), kUnansweredMax);
  CHECK(bench.loop.paused);
  bench.receive(get("/later"));  // what was under way
  bench.turn();
  CHECK_EQ(bench.requests.size(), kUnansweredMax);
  bench.answering = true;
  for (int i = 0; i < 20; ++i) bench.turn();
  CHECK_EQ(bench.requests.size(), static_cast<size_t>(count + 1));
  for (int i = 0; i < count; ++i) CHECK_EQ(bench.requests[static_cast<size_t>(i)], path(i));
  CHECK_EQ(bench.requests.back(), std::string("/later"));
  CHECK(!bench.loop.paused);
}

TEST(http_server_goes_on_next_turn_when_the_table_of_heads_is_full) {
  Profile defaults;
  const uint32_t words = recordWords(defaults.options.limits.headersMax);
  Bench bench(words + 100);
  std::string text;
  const int count = 50;
  for (int i = 0; i < count; ++i) text += get(path(i));
  bench.receive(text);
  CHECK(bench.server->hasWork());
  for (int i = 0; i < count; ++i) bench.turn();
  CHECK_EQ(bench.requests.size(), static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) CHECK_EQ(bench.requests[static_cast<size_t>(i)], path(i));
  CHECK(!bench.server->hasWork());
  CHECK(!bench.loop.paused);
}

TEST(http_server_tells_the_end_behind_what_is_held) {
  Bench bench;
  bench.answering = false;
  std::string text;
  for (uint32_t i = 0; i < kUnansweredMax + 10; ++i) text += get(path(static_cast<int>(i)));
  bench.receive(text);
  bench.server->peerEnded(bench.channel);
  bench.turn();
  CHECK(bench.ends.empty());
  bench.answering = true;
  for (int i = 0; i < 4; ++i) bench.turn();
  CHECK_EQ(bench.requests.size(), kUnansweredMax + 10);
  CHECK_EQ(bench.ends.size(), 1u);
  CHECK_EQ(bench.ends[0], 0);
}

TEST(http_server_says_whether_the_end_tore_a_request) {
  const std::pair<std::string, int> cases[] = {
      {"", 0},
      {get("/"), 0},
      {"GET / HT", 1},
      {"\r\n", 0},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc", 1},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 0},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n", 1},
  };
  for (const auto& [text, torn] : cases) {
    Bench bench;
    bench.receive(text);
    bench.turn();
    bench.server->peerEnded(bench.channel);
    bench.turn();
    CHECK_EQ(bench.ends.size(), 1u);
    CHECK_EQ(bench.ends[0], torn);
  }
}

TEST(http_server_brings_bodies_and_trailers_cut_anywhere) {
  const std::string text =
      "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n" +
      get("/b") + "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + get("/d");
  for (size_t cut = 1; cut < text.size(); ++cut) {
    Bench bench;
    bench.receive(std::string_view(text).substr(0, cut));
    bench.turn();
    bench.receive(std::string_view(text).substr(cut));
    bench.turn();
    CHECK(bench.requests == std::vector<std::string>({"/a", "/b", "/c", "/d"}));
    CHECK_EQ(bench.body, std::string("hello worldabc"));
    CHECK_EQ(bench.trailers, 2);
    CHECK_EQ(bench.bodies, 2);
    CHECK(bench.errors.empty());
  }
}

TEST(http_server_holds_what_follows_an_upgrade_until_it_is_decided) {
  const std::string upgrade = get("/u", "Connection: Upgrade\r\nUpgrade: x\r\n");
  for (const bool taken : {true, false}) {
    Bench bench;
    bench.profile.holdUpgrades = true;
    bench.answering = false;
    bench.receive(upgrade + get("/next"));
    bench.turn();
    bench.receive(get("/last"));
    bench.turn();
    CHECK_EQ(bench.requests.size(), 1u);
    CHECK(bench.loop.paused);
    if (taken) {
      bench.server->takeRaw(bench.channel);
    } else {
      bench.server->responded(bench.channel, bench.now);
      bench.unanswered = 0;
    }
    bench.turn();
    bench.turn();
    CHECK(!bench.loop.paused);
    if (taken) {
      CHECK_EQ(bench.body, get("/next") + get("/last"));
      bench.receive("raw");
      bench.turn();
      CHECK_EQ(bench.body, get("/next") + get("/last") + "raw");
    } else {
      CHECK(bench.requests == std::vector<std::string>({"/u", "/next", "/last"}));
    }
  }
}

TEST(http_server_takes_no_request_behind_connect) {
  const std::string connect = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";
  for (const bool possible : {true, false}) {
    Bench bench;
    bench.profile.holdUpgrades = possible;
    bench.receive(connect + get("/next"));
    bench.turn();
    bench.receive(get("/last"));
    bench.turn();
    CHECK_EQ(bench.requests.size(), possible ? 1u : 0u);
    CHECK_EQ(bench.errors.size(), possible ? 0u : 1u);
    CHECK(!bench.loop.paused);
    CHECK_EQ(bench.body, std::string());
  }
}

TEST(http_server_copies_few_held_bytes_instead_of_pinning_their_block) {
  Bench bench;
  bench.profile.holdUpgrades = true;
  bench.answering = false;
  bench.receive(get("/u", "Connection: Upgrade\r\nUpgrade: x\r\n") + "few");
  bench.turn();
  CHECK_EQ(bench.arena.stats().outstanding, 2u);  // the receive block, and a small one
  bench.receive("more");                          // overwrites what was received before
  bench.turn();
  bench.server->takeRaw(bench.channel);
  bench.turn();
  bench.turn();
  CHECK_EQ(bench.body, std::string("fewmore"));
}

TEST(http_server_gives_up_a_peer_that_floods_what_is_held) {
  Bench bench;
  bench.profile.holdUpgrades = true;
  bench.answering = false;
  bench.receive(get("/u", "Connection: Upgrade\r\nUpgrade: x\r\n"));
  const std::string flood(64 * 1024, 'x');
  for (int i = 0; i < 200 && bench.loop.error == 0; ++i) {
    bench.receive(flood);
    bench.turn();
  }
  CHECK(bench.loop.error != 0);
}

TEST(http_server_gives_held_bytes_back_when_it_closes_among_them) {
  Bench bench;
  bench.profile.holdUpgrades = true;
  bench.profile.lingerBytesMax = 10;
  bench.answering = false;
  bench.receive(get("/u", "Connection: Upgrade, close\r\nUpgrade: x\r\n"));
  for (int i = 0; i < 5; ++i) {
    bench.turn();
    bench.receive(std::string(kCopyInsteadOfPinMax + 1, 'x'));
  }
  bench.turn();
  CHECK(bench.arena.stats().outstanding >= 5);
  bench.channel.flags |= kWriteEnded;
  bench.server->responded(bench.channel, bench.now);
  bench.turn();
  CHECK(bench.loop.closed);
  bench.finish();
  CHECK(bench.arena.stats().outstanding <= 1);  // the receive block
}

TEST(http_server_lets_a_slow_head_hold_no_more_than_it_has_sent) {
  Bench bench;
  bench.receive("GET / HTTP/1.1\r\nHost: a\r\nX: ");
  bench.turn();
  uint32_t before = bench.slabs.slabsHeld;
  for (int i = 0; i < 10'000; ++i) {
    bench.receive("x");
    bench.turn();
  }
  CHECK(bench.slabs.slabsHeld <= before + 4);
  bench.receive("\r\n\r\n");
  bench.turn();
  CHECK_EQ(bench.requests.size(), 1u);
  for (int i = 0; i < 20'000; ++i) bench.receive("GET / HTTP/1.1\r\nHost: a\r\nX: x");
  bench.turn();
  CHECK_EQ(bench.errors.size(), 1u);
}

TEST(http_server_answers_static_routes_unless_something_is_due) {
  Bench bench;
  const std::string head = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
  bench.profile.routes.emplace("/s", StaticRoute{HeadTemplate(head, 23), "body"});
  bench.receive(get("/s?q") + "HEAD /s HTTP/1.1\r\nHost: a\r\n\r\n" + get("/s/"));
  bench.turn();
  CHECK_EQ(bench.loop.sent.size(), 2 * head.size() + 4);
  CHECK_EQ(bench.loop.sent.substr(head.size(), 4), std::string("body"));
  CHECK(bench.loop.sent.find("1994") == std::string::npos);
  CHECK(bench.requests == std::vector<std::string>({"/s/"}));
  bench.loop.sent.clear();
  bench.answering = false;
  bench.receive(get("/js") + get("/s") + get("/s"));
  bench.turn();
  CHECK(bench.loop.sent.empty());
  CHECK_EQ(bench.requests.size(), 4u);
  bench.answering = true;
  bench.turn();
  bench.receive(get("/s"));
  bench.receive(get("/s", "Connection: close\r\n"));
  bench.turn();
  CHECK_EQ(bench.loop.sent.size(), head.size() + 4);
  CHECK_EQ(bench.requests.size(), 5u);
}

TEST(http_server_takes_no_request_while_too_many_bytes_wait) {
  Bench bench;
  bench.profile.unsentMax = 1000;
  const std::string head = "HTTP/1.1 200 OK\r\n\r\n";
  const uint32_t none = HeadTemplate::kNoDate;
  bench.profile.routes.emplace("/s", StaticRoute{HeadTemplate(head, none), std::string(600, 'x')});
  const size_t answer = head.size() + 600;
  SendNode waiting{};
  bench.channel.sends = {&waiting, &waiting};
  // The bytes that came with the first request are held, whatever else is in them.
  std::string text;
  for (int i = 0; i < 10; ++i) text += get("/s");
  bench.receive(text);
  CHECK_EQ(bench.loop.sent.size(), 2 * answer);
  CHECK(bench.loop.paused);
  for (int i = 0; i < 3; ++i) bench.turn();
  CHECK_EQ(bench.loop.sent.size(), 2 * answer);
  // More than half of them still waits.
  bench.loop.taken = bench.loop.sent.size() - 501;
  bench.server->sendProgressed(bench.channel);
  bench.turn();
  CHECK_EQ(bench.loop.sent.size(), 2 * answer);
  bench.loop.taken = bench.loop.sent.size() - 500;
  bench.server->sendProgressed(bench.channel);
  CHECK(bench.server->hasWork());
  bench.turn();
  CHECK_EQ(bench.loop.sent.size(), 3 * answer);
  while (bench.server->staticResponses() < 10) {
    CHECK(bench.loop.paused);
    bench.loop.taken = bench.loop.sent.size();
    bench.server->sendProgressed(bench.channel);
    bench.turn();
  }
  CHECK(!bench.loop.paused);
  CHECK_EQ(bench.loop.sent.size(), 10 * answer);
  bench.channel.sends = {};
}

TEST(http_server_composes_responses_one_behind_the_other) {
  Bench bench;
  bench.profile.templates.emplace_back("HTTP/1.1 200 OK\r\n", HeadTemplate::kNoDate);
  bench.receive(get("/") + get("/"));
  ResponseCommand response;
  response.parts.fields = "A: b\r\n";
  response.parts.body = "hello";
  response.parts.contentLength = 5;
  CHECK(bench.server->respond(bench.channel, response));
  response.parts = {"", "", -1};
  CHECK(bench.server->respond(bench.channel, response));
  CHECK_EQ(bench.loop.sent, std::string("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\nhello"
                                        "HTTP/1.1 200 OK\r\n\r\n"));
  response.parts.contentLength = INT64_MAX;
  CHECK(bench.server->respond(bench.channel, response));
  CHECK(bench.loop.sent.find("Content-Length: 9223372036854775807\r\n") != std::string::npos);
}

TEST(http_server_ends_keep_alive_at_the_limit_and_when_it_stops) {
  Bench bench;
  bench.profile.requestsMax = 2;
  bench.receive(get("/1") + get("/2") + get("/3"));
  bench.turn();
  CHECK(bench.requests == std::vector<std::string>({"/1", "/2"}));
  CHECK(bench.keepAlive == std::vector<bool>({true, false}));
  Bench stopping;
  stopping.answering = false;
  stopping.receive(get("/1") + "GET /2");
  stopping.profile.stopping = true;
  stopping.server->stop(stopping.channel, stopping.now);
  CHECK(!stopping.loop.closed);
  CHECK_EQ(stopping.server->expected(stopping.channel), 2u);
  stopping.receive(" HTTP/1.1\r\nHost: a\r\n\r\n");
  stopping.turn();
  CHECK_EQ(stopping.server->expected(stopping.channel), 2u);
  stopping.loop.inSocket = true;
  CHECK_EQ(stopping.server->expected(stopping.channel), 3u);
}

TEST(http_server_looks_at_an_idle_connection_once_a_minute_at_most) {
  Bench bench;
  bench.profile.keepAliveMs = 600'000;
  bench.receive(get("/1"));
  bench.turn();
  bench.now += 1000;
  bench.server->timer(bench.channel, bench.now);
  CHECK_EQ(bench.loop.delayMs, 60'000u);
  bench.profile.keepAliveMs = 20'000;
  bench.server->timer(bench.channel, bench.now);
  CHECK_EQ(bench.loop.delayMs, 19'000u);  // since the request
}

TEST(http_server_closes_idle_connections_a_little_after_it_stops) {
  const auto at = [](Bench& bench, uint64_t ms) {
    bench.now += ms;
    bench.server->timer(bench.channel, bench.now);
    bench.turn();
    return bench.loop.closed;
  };
  Bench fresh;
  fresh.profile.stopping = true;
  fresh.server->stop(fresh.channel, fresh.now);
  CHECK_EQ(fresh.loop.delayMs, fresh.profile.stopFirstGraceMs);
  CHECK(!at(fresh, fresh.profile.stopFirstGraceMs - 1));
  CHECK(at(fresh, 1));
  Bench served;
  served.receive(get("/1"));
  served.turn();
  served.profile.stopping = true;
  served.server->stop(served.channel, served.now);
  served.loop.inSocket = true;
  CHECK(!at(served, served.profile.stopGraceMs));
  served.loop.inSocket = false;
  CHECK(!at(served, served.profile.stopGraceMs - 1));
  CHECK(at(served, 1));
}

TEST(http_server_times_every_phase) {
  const auto at = [](Bench& bench, uint64_t ms) {
    bench.now += ms;
    bench.server->timer(bench.channel, bench.now);
    bench.turn();
  };
  Bench idle;
  idle.receive(get("/"));
  at(idle, 0);
  at(idle, 4999);
  CHECK(!idle.loop.closed);
  at(idle, 1);
  CHECK(idle.loop.closed);

  // Browsers connect before they have anything to ask.
  Bench fresh;
  at(fresh, 59'999);
  CHECK(!fresh.loop.closed);
  at(fresh, 1);
  CHECK(fresh.loop.closed);
  CHECK(fresh.errors.empty());

  Bench head;
  head.receive("GET / HT");
  for (int i = 0; i < 11; ++i) {
    at(head, 5000);
    head.receive("T");  // wrong, but that is for the end of the line to tell
    if (!head.errors.empty()) break;
  }
  CHECK(!head.errors.empty());

  Bench slow;
  slow.receive("GET / HTTP/1.1\r\nHost: a\r\nX: ");
  for (int i = 0; i < 12; ++i) {
    at(slow, 4999);
    slow.receive("x");
  }
  CHECK(slow.errors.empty());
  at(slow, 100);
  CHECK(slow.errors == std::vector<HttpError>({HttpError::kHeadersTimeout}));

  Bench body;
  body.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
  body.turn();
  at(body, 9000);
  body.receive("x");
  at(body, 9999);
  CHECK(body.errors.empty());
  body.channel.flags |= kPaused;
  body.server->readingPaused(body.channel, true, body.now);
  at(body, 1'000'000);
  CHECK(body.errors.empty());
  body.channel.flags &= ~kPaused;
  body.server->readingPaused(body.channel, false, body.now);
  at(body, 9999);
  CHECK(body.errors.empty());
  at(body, 1);
  CHECK(body.errors == std::vector<HttpError>({HttpError::kRequestTimeout}));

  Bench expecting;
  expecting.receive(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
  expecting.turn();
  at(expecting, 299'999);
  CHECK(expecting.errors.empty());
  expecting.receive("x");
  at(expecting, 1);
  CHECK(expecting.errors == std::vector<HttpError>({HttpError::kRequestTimeout}));

  Bench continued;
  continued.receive(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
  continued.turn();
  at(continued, 50'000);
  continued.receive("x");
  at(continued, 9999);
  CHECK(continued.errors.empty());
  at(continued, 1);
  CHECK(continued.errors == std::vector<HttpError>({HttpError::kRequestTimeout}));

  Bench busy;
  busy.answering = false;
  busy.receive(get("/"));
  busy.turn();
  at(busy, 1'000'000);
  CHECK(!busy.loop.closed && busy.loop.error == 0);
  busy.server->responded(busy.channel, busy.now);
  at(busy, 4999);
  CHECK(!busy.loop.closed);
  at(busy, 1);
  CHECK(busy.loop.closed);
}

TEST(http_server_gives_up_a_peer_that_takes_nothing) {
  Bench bench;
  bench.answering = false;
  bench.receive(get("/"));
  bench.turn();
  SendNode waiting{};
  bench.channel.sends = {&waiting, &waiting};
  bench.server->sendBlocked(bench.channel, bench.now);
  const auto at = [&](uint64_t ms) {
    bench.now += ms;
    bench.server->timer(bench.channel, bench.now);
  };
  at(9999);
  CHECK_EQ(bench.loop.error, 0);
  bench.channel.bytesWritten += 1;  // a byte is enough
  at(1);
  CHECK_EQ(bench.loop.error, 0);
  at(9999);
  CHECK_EQ(bench.loop.error, 0);
  at(1);
  CHECK_EQ(bench.loop.error, ETIMEDOUT);
  bench.channel.sends = {};
}

TEST(http_server_gives_up_a_peer_that_takes_too_little) {
  const auto run = [](uint64_t bytesASecond, uint64_t pauseMs) {
    Bench bench;
    bench.profile.writeMs = kNoTimeout;
    bench.profile.sendRateMin = 256;
    bench.answering = false;
    bench.receive(get("/"));
    bench.turn();
    SendNode waiting{};
    bench.channel.sends = {&waiting, &waiting};
    bench.server->sendBlocked(bench.channel, bench.now);
    for (uint64_t ms = 0; ms < 300'000 && bench.loop.error == 0; ms += 1000) {
      bench.now += 1000;
      if (ms % 60'000 >= pauseMs) bench.channel.bytesWritten += bytesASecond;
      // A drip is a block after a block.
      bench.server->sendBlocked(bench.channel, bench.now);
      bench.server->timer(bench.channel, bench.now);
    }
    bench.channel.sends = {};
    return bench.loop.error;
  };
  CHECK_EQ(run(0, 0), ETIMEDOUT);
  CHECK_EQ(run(250, 0), ETIMEDOUT);
  CHECK_EQ(run(260, 0), 0);
  CHECK_EQ(run(1000, 13'000), 0);
}

TEST(http_server_does_not_count_the_time_in_which_nothing_waits) {
  Bench bench;
  bench.profile.writeMs = kNoTimeout;
  bench.profile.sendRateMin = 256;
  bench.answering = false;
  bench.receive(get("/"));
  bench.turn();
  SendNode waiting{};
  for (int i = 0; i < 20; ++i) {
    bench.channel.sends = {&waiting, &waiting};
    bench.server->sendBlocked(bench.channel, bench.now);
    bench.now += 10;
    bench.channel.sends = {};
    bench.server->sendProgressed(bench.channel);
    bench.now += 30'000;
    bench.channel.sends = {&waiting, &waiting};
    bench.server->sendBlocked(bench.channel, bench.now);
    bench.server->timer(bench.channel, bench.now);
    CHECK_EQ(bench.loop.error, 0);
    bench.channel.sends = {};
    bench.server->sendProgressed(bench.channel);
  }
}

TEST(http_server_refuses_a_body_that_comes_too_slowly) {
  const auto run = [](uint32_t bytes, uint64_t everyMs, uint64_t pauseMs) {
    Bench bench;
    bench.profile.readMs = kNoTimeout;
    bench.profile.requestMs = kNoTimeout;
    bench.profile.receiveRateMin = 256;
    bench.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n");
    bench.turn();
    for (uint64_t ms = 0; ms < 300'000 && bench.errors.empty(); ms += everyMs) {
      bench.now += everyMs;
      if (ms % 60'000 >= pauseMs) {
        bench.channel.bytesRead += bytes;
        bench.receive(std::string(bytes, 'x'));
      }
      bench.server->timer(bench.channel, bench.now);
      bench.turn();
    }
    return bench.errors;
  };
  const std::vector<HttpError> late{HttpError::kRequestTimeout};
  CHECK(run(1, 1000, 0) == late);
  CHECK(run(250, 1000, 0) == late);
  CHECK(run(260, 1000, 0).empty());
  CHECK(run(1000, 1000, 13'000).empty());
}

TEST(http_server_names_other_protocols_by_their_first_bytes) {
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  const std::string hello("\x16\x03\x01\x02\x00\x01\x00", 7);
  for (const auto& [bytes, error] :
       {std::pair{preface, HttpError::kHttp2}, std::pair{hello, HttpError::kTls}}) {
    for (size_t cut = 0; cut <= bytes.size(); ++cut) {
      Bench bench;
      bench.receive(bytes.substr(0, cut));
      bench.turn();
      bench.receive(bytes.substr(cut));
      bench.turn();
      CHECK(bench.errors == std::vector<HttpError>({error}));
      CHECK(bench.requests.empty());
    }
  }
  Bench neither;
  neither.receive(std::string_view("\r\n\r\n\0", 5));
  neither.turn();
  CHECK_EQ(neither.errors.size(), 1u);
  CHECK(neither.errors[0] != HttpError::kHttp2 && neither.errors[0] != HttpError::kTls);
  // Behind a request it is nothing but a bad one.
  Bench late;
  late.receive(get("/") + preface);
  late.turn();
  CHECK(late.errors == std::vector<HttpError>({HttpError::kMethodUnknown}));
}

TEST(http_server_lingers_for_a_while_and_for_so_many_bytes) {
  Bench quiet;
  quiet.channel.flags |= kWriteEnded;
  quiet.server->finSent(quiet.channel, quiet.now);
  quiet.now += 5000;
  quiet.server->timer(quiet.channel, quiet.now);
  CHECK(quiet.loop.closed);
  Bench loud;
  loud.profile.lingerBytesMax = 1000;
  loud.channel.flags |= kWriteEnded;
  loud.server->finSent(loud.channel, loud.now);
  loud.receive(std::string(1000, 'x'));
  CHECK(!loud.loop.closed);
  loud.receive("x");
  CHECK(loud.loop.closed);
}

TEST(http_server_stays_sane_on_random_bytes) {
  const char* const fragments[] = {"GET / HTTP/1.1\r\n",
                                   "Host: a\r\n",
                                   "\r\n",
                                   "POST /x HTTP/1.1\r\nHost: a\r\n",
                                   "Content-Length: 5\r\n\r\nhello",
                                   "Transfer-Encoding: chunked\r\n\r\n",
                                   "5\r\nhello\r\n",
                                   "0\r\n\r\n",
                                   "0\r\nX: y\r\n\r\n",
                                   "Connection: Upgrade\r\nUpgrade: x\r\n",
                                   "\n",
                                   "x",
                                   "Connection: close\r\n",
                                   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                   "\x16\x03\x01"};
  test::Random random(11);
  for (int round = 0; round < 2000; ++round) {
    Bench bench(4096);
    bench.profile.holdUpgrades = random.below(2) == 0;
    bench.answering = random.below(4) != 0;
    for (int i = 0; i < 30 && bench.channel.state == ChannelState::kOpen; ++i) {
      const uint32_t what = random.below(std::size(fragments) + 3);
      if (what < std::size(fragments)) {
        bench.receive(fragments[what]);
      } else if (what == std::size(fragments)) {
        bench.now += random.below(20'000);
        bench.server->timer(bench.channel, bench.now);
      } else {
        bench.turn();
      }
    }
    if (random.below(2) == 0) bench.server->peerEnded(bench.channel);
    bench.turn();
    bench.finish();
    CHECK(bench.arena.stats().outstanding <= 1);
  }
}

std::string post(size_t length) {
  return "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

// What JavaScript would give: says when it is given back.
struct Destination final : BodyMemory {
  Destination(std::string* of, bool* isGone)
      : BodyMemory(reinterpret_cast<uint8_t*>(of->data()), of->size()), gone(isGone) {
    *gone = false;
  }
  ~Destination() override { *gone = true; }
  bool* gone;
};

constexpr size_t kBodyBytes = 300'000;

// A body of which 1,000 bytes have come, and the rest has a destination.
struct Upload {
  Upload() {
    for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
    bench.receive(post(kBodyBytes) + body.substr(0, 1000));
    into = give(1);
  }
  bool give(uint32_t request) {
    return bench.server->bodyInto(bench.channel, request,
                                  std::make_unique<Destination>(&memory, &gone));
  }
  void readable(const std::string& bytes) {
    bench.loop.kernel += bytes;
    bench.server->readable(bench.channel, bench.now);
  }

  Bench bench;
  std::string body = std::string(kBodyBytes, ' ');
  std::string memory = std::string(kBodyBytes, ' ');
  bool gone = false;
  bool into = false;
};

TEST(http_server_receives_a_body_into_its_memory_and_no_byte_more) {
  Upload upload;
  Bench& bench = upload.bench;
  CHECK(upload.into);
  upload.readable(upload.body.substr(1000, 50'000));
  CHECK(!upload.gone);
  upload.readable(upload.body.substr(51'000) + get("/next"));
  while (!upload.gone) bench.server->readable(bench.channel, bench.now);
  CHECK_EQ(bench.loop.kernel, get("/next"));
  bench.turn();
  CHECK_EQ(bench.body, upload.body.substr(0, 1000));
  CHECK(upload.memory.substr(1000) == upload.body.substr(1000));
  CHECK_EQ(bench.filled, static_cast<int>(kBodyBytes - 1000));
  CHECK_EQ(bench.bodies, 1);
  CHECK_EQ(bench.server->bodyBytesInto(), kBodyBytes - 1000);
  // What comes next is read here too, until it is something else.
  CHECK(bench.channel.engineFlags & kTellsReadable);
  bench.server->readable(bench.channel, bench.now);
  bench.turn();
  CHECK_EQ(bench.requests.back(), std::string("/next"));
  CHECK(!(bench.channel.engineFlags & kTellsReadable));
}

TEST(http_server_reads_little_where_another_body_may_follow) {
  Upload upload;
  Bench& bench = upload.bench;
  upload.readable(upload.body.substr(1000));
  while (!upload.gone) bench.server->readable(bench.channel, bench.now);
  bench.turn();
  bench.body.clear();
  upload.readable(post(kBodyBytes) + upload.body);
  bench.turn();
  CHECK_EQ(bench.requests.size(), 2u);
  CHECK_EQ(bench.body.size(), kHeadReadBytes - post(kBodyBytes).size());
  CHECK(upload.give(2));
  while (!upload.gone) bench.server->readable(bench.channel, bench.now);
  CHECK(bench.loop.kernel.empty());
  CHECK(upload.memory.substr(kHeadReadBytes) == upload.body.substr(kHeadReadBytes));
}

TEST(http_server_takes_no_memory_for_the_body_of_another_request) {
  Upload upload;
  Bench& bench = upload.bench;
  bench.server->leaveBody(bench.channel);
  CHECK(upload.gone);
  CHECK(!upload.give(2));
  CHECK(upload.gone);
  bench.receive(upload.body.substr(1000) + get("/next"));
  CHECK(!upload.give(1));
  CHECK(upload.gone);
  bench.turn();
  CHECK_EQ(bench.body, upload.body);
}

TEST(http_server_takes_no_memory_where_it_cannot_read_itself) {
  Bench bench;
  bench.loop.tellable = false;
  bench.receive(post(kBodyBytes) + "x");
  std::string memory(kBodyBytes, ' ');
  bool gone = false;
  CHECK(!bench.server->bodyInto(bench.channel, 1, std::make_unique<Destination>(&memory, &gone)));
  CHECK(gone);
}

TEST(http_server_lets_go_of_the_memory_of_a_body_that_does_not_come) {
  {
    Upload ended;
    ended.bench.server->peerEnded(ended.bench.channel);
    CHECK(ended.gone);
  }
  {
    Upload closed;
    closed.bench.server->closed(closed.bench.channel);
    CHECK(closed.gone);
  }
  {
    Upload late;
    late.bench.now += late.bench.profile.readMs;
    late.bench.server->timer(late.bench.channel, late.bench.now);
    late.bench.turn();
    CHECK(late.gone);
    CHECK_EQ(late.bench.errors.size(), 1u);
    // What comes all the same is read as before, and dropped.
    late.readable("behind its end");
    CHECK(!(late.bench.channel.engineFlags & kTellsReadable));
  }
}

TEST(http_server_reads_bodies_within_the_budget_of_a_turn) {
  constexpr size_t kBytes = 3 * size_t{kBodyTurnBytesMax};
  Bench bench;
  bench.receive(post(kBytes) + "x");
  std::string memory(kBytes, ' ');
  bool gone = false;
  CHECK(bench.server->bodyInto(bench.channel, 1, std::make_unique<Destination>(&memory, &gone)));
  bench.loop.kernel = std::string(kBytes - 1, 'y');
  while (!bench.server->hasWork()) bench.server->readable(bench.channel, bench.now);
  CHECK_EQ(bench.server->bodyBytesInto(), kBodyTurnBytesMax);
  bench.turn();
  CHECK(bench.server->bodyBytesInto() > kBodyTurnBytesMax);  // the next turn has begun with it
  while (!gone) {
    bench.server->readable(bench.channel, bench.now);
    bench.turn();
  }
  CHECK_EQ(bench.bodies, 1);
  CHECK(memory.substr(1) == std::string(kBytes - 1, 'y'));
}

}  // namespace
