// The HTTP client of the core against a fake loop: what it makes of responses, however they are
// cut, what it refuses, what it holds, and when its time is over.
#include "core/http/client/client.h"

#include <cstring>
#include <string>
#include <string_view>
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
  explicit Bench(const ClientSettings& settings = {}, uint32_t headWords = kClientHeadWords)
      : heads(headWords) {
    loop.arena = &arena;
    loop.channel = &channel;
    channel.type = ChannelType::kConnection;
    channel.state = ChannelState::kOpen;
    client = std::make_unique<Client>(arena, events, loop, heads.data(), headWords);
    client->adopt(channel, settings, now);
  }
  ~Bench() { finish(); }

  void finish() {
    if (client == nullptr) return;
    if (channel.protocolState != nullptr) client->closed(channel);
    CHECK_EQ(client->resting(), 0u);
    client->endTurn();
    client.reset();
    buffers.endTurn();
  }

  void ask(Ask asked = {}) { client->ask(channel, asked, {}, now); }

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
      client->received(channel, {room.block, room.offset, bytes}, now);
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
    client->endFlush();
    client->endTurn();
    buffers.endTurn();
    client->beginTurn(now);
  }

  void tick(uint64_t ms) {
    now += ms;
    client->timer(channel, now);
  }

  void walk(const int32_t* words) {
    const uint8_t* slab = slabs.slab(static_cast<uint32_t>(words[3]));
    const auto text = [&](uint32_t offset, uint32_t length) {
      return std::string(reinterpret_cast<const char*>(slab) + words[4] + offset, length);
    };
    switch (static_cast<EventKind>(words[0])) {
      case EventKind::kInformational:
        log += "i" + std::to_string(heads[words[6] + kRecordStatus]) + " ";
        break;
      case EventKind::kResponse:
      case EventKind::kResponseWhole: {
        const RecordView record(heads.data() + words[6]);
        const uint32_t* raw = heads.data() + words[6];
        const bool whole = words[0] == static_cast<int32_t>(EventKind::kResponseWhole);
        log += std::to_string(raw[kRecordStatus]) + ":" +
               text(raw[kRecordReasonOffset], raw[kRecordReasonLength]);
        for (uint32_t i = 0; i < record.headerCount(); ++i) {
          const uint32_t* field = record.header(i);
          log += "|" +
                 text(field[kFieldNameOffset], field[kFieldNameLengthAndId] & kFieldLengthMask) +
                 "=" + text(field[kFieldValueOffset], field[kFieldValueLength]);
        }
        log += record.has(kFlagKeepAlive) ? " k " : " c ";
        if (!whole) break;
        log += text(record.headLength(), static_cast<uint32_t>(words[5])) + "; ";
        break;
      }
      case EventKind::kResponseBody:
      case EventKind::kData:
        log += text(0, static_cast<uint32_t>(words[5]));
        break;
      case EventKind::kResponseTrailers:
        log += " t" + std::to_string(words[5]);
        break;
      case EventKind::kResponseEnd:
        log += "; ";
        break;
      case EventKind::kResponseFault:
        fault = static_cast<uint8_t>(words[3]);
        break;
      default:
        break;
    }
  }

  bool failed(ResponseError error) const { return fault == static_cast<uint8_t>(error); }
  bool failed(HttpError error) const { return fault == static_cast<uint8_t>(error); }

  test::MallocSlabs slabs;
  Arena arena{slabs, true};
  ReceiveBuffers buffers{arena};
  std::vector<int32_t> control = std::vector<int32_t>(kControlWords);
  std::vector<int32_t> records = std::vector<int32_t>(kEventCapacity * kRecordWords);
  EventWriter events{{control.data(), records.data(), nullptr}};
  std::vector<uint32_t> heads;
  FakeLoop loop;
  Channel channel;
  std::unique_ptr<Client> client;
  uint64_t now = 1'000'000;
  std::string log;
  uint8_t fault = 0;
};

const std::string kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello";

std::string run(std::string_view text, uint32_t asks = 1) {
  Bench bench;
  for (uint32_t i = 0; i < asks; ++i) bench.ask();
  bench.receive(text);
  bench.turn();
  return bench.log;
}

uint8_t faultOf(std::string_view text, const ClientSettings& settings = {}, const Ask& ask = {}) {
  Bench bench(settings);
  bench.ask(ask);
  bench.receive(text);
  bench.turn();
  // A fault that leaves the connection open is none that anybody expects.
  return bench.fault == 0 || bench.loop.closed ? bench.fault : uint8_t{0xff};
}

constexpr uint8_t of(HttpError error) { return static_cast<uint8_t>(error); }
constexpr uint8_t of(ResponseError error) { return static_cast<uint8_t>(error); }

TEST(http_client_gives_a_whole_response_as_one_event) {
  CHECK_EQ(run(kHello), std::string("200:OK|Content-Length=5|X=y k hello; "));
  CHECK_EQ(run("HTTP/1.1 204 No Content\r\n\r\n"), std::string("204:No Content k ; "));
  CHECK_EQ(run("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
           std::string("200:|Content-Length=0 k ; "));
}

// The same however it is cut, and the same as when it is not.
TEST(http_client_reads_responses_however_they_are_cut) {
  std::string text;
  for (int i = 0; i < 12; ++i) {
    const std::string size(static_cast<size_t>(i * 37), 'b');
    text += "HTTP/1.1 100 Continue\r\n\r\n";
    text += "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size.size()) + "\r\n\r\n" + size;
    text += "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n";
    text += "3;a=b\r\nabc\r\n1\r\nd\r\n0\r\nT: u\r\n\r\n";
    text += "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n";
  }
  const uint32_t asks = 36;
  Bench whole;
  for (uint32_t i = 0; i < asks; ++i) whole.ask();
  whole.receive(text);
  whole.turn();
  CHECK_EQ(whole.fault, 0);
  CHECK_EQ(whole.client->responses(), 36u);
  test::Random random(11);
  for (int round = 0; round < 80; ++round) {
    Bench bench;
    for (uint32_t i = 0; i < asks; ++i) bench.ask();
    for (size_t at = 0; at < text.size();) {
      const size_t size = round == 0 ? 1 : 1 + random.below(round < 40 ? 30 : 900);
      bench.receive(std::string_view(text).substr(at, size));
      at += size;
      if (random.below(2) == 0) bench.turn();
    }
    bench.turn();
    CHECK_EQ(bench.log, whole.log);
    CHECK_EQ(bench.fault, 0);
    bench.finish();
    CHECK(bench.arena.stats().outstanding <= 1);  // the warm receive block
  }
}

TEST(http_client_ends_a_body_without_a_length_with_the_connection) {
  Bench bench;
  bench.ask();
  bench.receive("HTTP/1.1 200 OK\r\n\r\nab");
  bench.receive("cd");
  bench.turn();
  CHECK_EQ(bench.log, std::string("200:OK c abcd"));
  bench.client->peerEnded(bench.channel);
  bench.turn();
  CHECK_EQ(bench.log, std::string("200:OK c abcd; "));
  CHECK_EQ(bench.fault, 0);
  CHECK(bench.loop.closed);
}

TEST(http_client_knows_which_responses_have_no_body) {
  Bench head;
  Ask ask;
  ask.asked.head = true;
  head.ask(ask);
  head.receive("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  head.turn();
  CHECK_EQ(head.log, std::string("200:OK|Content-Length=5 k ; "));
  CHECK_EQ(run("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n" + kHello, 2),
           std::string("304:Not Modified|Content-Length=5 k ; "
                       "200:OK|Content-Length=5|X=y k hello; "));
}

TEST(http_client_closes_behind_the_last_response_of_a_connection) {
  for (const char* text : {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                           "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"}) {
    Bench bench;
    bench.ask();
    bench.receive(text);
    CHECK(bench.loop.closed);
    CHECK_EQ(bench.client->resting(), 0u);
  }
  Bench kept;
  kept.ask();
  kept.receive("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n");
  CHECK(!kept.loop.closed);
  CHECK_EQ(kept.client->resting(), 1u);
}

TEST(http_client_takes_no_byte_that_nobody_asked_for) {
  Bench idle;
  idle.receive("H");
  idle.turn();
  CHECK(idle.failed(ResponseError::kUnsolicited));
  CHECK(idle.loop.closed);
  // Behind a response: that one is good, and nothing after it.
  Bench behind;
  behind.ask();
  behind.receive(kHello + kHello);
  behind.turn();
  CHECK_EQ(behind.log, std::string("200:OK|Content-Length=5|X=y k hello; "));
  CHECK(behind.failed(ResponseError::kUnsolicited));
  CHECK(behind.loop.closed);
}

TEST(http_client_sends_nothing_over_a_connection_in_which_something_has_come) {
  Bench bench;
  bench.ask();
  bench.receive(kHello);
  bench.turn();
  bench.now += 5;
  bench.loop.inSocket = true;
  bench.ask();
  bench.turn();
  CHECK(bench.failed(ResponseError::kStale));
  CHECK(bench.loop.closed);
}

TEST(http_client_refuses_what_two_parsers_may_read_in_two_ways) {
  const auto body = [](const char* fields) {
    return std::string("HTTP/1.1 200 OK\r\n") + fields + "\r\n0\r\n\r\n";
  };
  CHECK_EQ(faultOf(body("Content-Length: 1\r\nContent-Length: 2\r\n")),
           of(HttpError::kContentLengthRepeated));
  CHECK_EQ(faultOf(body("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")),
           of(HttpError::kLengthAndTransferEncoding));
  CHECK_EQ(faultOf(body("Content-Length: +5\r\n")), of(HttpError::kContentLengthInvalid));
  CHECK_EQ(faultOf(body("Content-Length: 5, 5\r\n")), of(HttpError::kContentLengthInvalid));
  CHECK_EQ(faultOf(body("Transfer-Encoding: gzip, chunked\r\n")),
           of(HttpError::kTransferEncodingUnsupported));
  CHECK_EQ(faultOf(body("Transfer-Encoding: chunked, chunked\r\n")),
           of(HttpError::kTransferEncodingInvalid));
  CHECK_EQ(faultOf("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
           of(HttpError::kTransferEncodingVersion));
  CHECK_EQ(faultOf("HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"), of(HttpError::kLineEnd));
  CHECK_EQ(faultOf("HTTP/1.1 200 OK\r\nA : b\r\n\r\n"), of(HttpError::kHeaderNameSpace));
  CHECK_EQ(faultOf("HTTP/1.1 200 OK\r\n A: b\r\n\r\n"), of(HttpError::kLineFolding));
}

TEST(http_client_refuses_status_lines_that_are_none) {
  for (const char* text : {"HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "\r\nHTTP/1.1 200",
                           "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "garbage",
                           "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 200 O\x01K\r\n\r\n", "<html>"}) {
    CHECK_EQ(faultOf(text), of(ResponseError::kStatusLine));
  }
}

TEST(http_client_has_a_limit_for_all_that_a_server_may_send) {
  ClientSettings settings;
  settings.options.limits.headBytesMax = 1000;
  settings.options.limits.headersMax = 5;
  settings.options.limits.bodyBytesMax = 10;
  settings.options.limits.trailerBytesMax = 20;
  settings.options.limits.chunkExtensionBytesMax = 20;
  settings.informationalMax = 3;
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  CHECK_EQ(faultOf(ok + "A: " + std::string(2000, 'a'), settings), of(HttpError::kHeadTooLarge));
  std::string many = ok;
  for (int i = 0; i < 6; ++i) many += "A: b\r\n";
  CHECK_EQ(faultOf(many + "\r\n", settings), of(HttpError::kHeadersTooMany));
  CHECK_EQ(faultOf(ok + "Content-Length: 11\r\n\r\n", settings), of(HttpError::kBodyTooLarge));
  CHECK_EQ(faultOf(ok + "\r\n01234567890", settings), of(HttpError::kBodyTooLarge));
  CHECK_EQ(faultOf(chunked + "b\r\n", settings), of(HttpError::kBodyTooLarge));
  CHECK_EQ(faultOf(chunked + "1;" + std::string(30, 'a'), settings),
           of(HttpError::kChunkExtensionsTooLarge));
  CHECK_EQ(faultOf(chunked + "0\r\nA: " + std::string(30, 'a'), settings),
           of(HttpError::kTrailersTooLarge));
  std::string interim;
  for (int i = 0; i < 4; ++i) interim += "HTTP/1.1 102 Processing\r\n\r\n";
  CHECK_EQ(faultOf(interim, settings), of(ResponseError::kInformationalTooMany));
}

TEST(http_client_tells_how_a_connection_has_ended) {
  const auto ended = [](std::string_view text, bool asked) {
    Bench bench;
    if (asked) bench.ask();
    bench.receive(text);
    bench.client->peerEnded(bench.channel);
    bench.turn();
    return bench.loop.closed ? bench.fault : uint8_t{0xff};
  };
  CHECK_EQ(ended("", false), 0);
  CHECK_EQ(ended("", true), of(ResponseError::kNoResponse));
  CHECK_EQ(ended("HTTP/1.1 2", true), of(ResponseError::kTruncated));
  CHECK_EQ(ended("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", true),
           of(ResponseError::kTruncated));
  CHECK_EQ(ended("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", true),
           of(ResponseError::kTruncated));
}

TEST(http_client_switches_protocols_only_when_asked) {
  const std::string text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nraw";
  CHECK_EQ(faultOf(text), of(ResponseError::kUpgradeUnasked));
  Bench bench;
  Ask ask;
  ask.upgrade = true;
  bench.ask(ask);
  bench.receive(text);
  bench.turn();
  CHECK_EQ(bench.log, std::string("101:Switching Protocols|Upgrade=x k "));
  CHECK(bench.loop.paused);
  bench.client->takeRaw(bench.channel);
  bench.turn();
  bench.receive("more");
  bench.turn();
  CHECK_EQ(bench.log, std::string("101:Switching Protocols|Upgrade=x k rawmore"));
  CHECK(!bench.loop.paused);
}

TEST(http_client_waits_for_its_table_of_heads) {
  ClientSettings settings;
  const uint32_t words = recordWords(settings.options.limits.headersMax);
  Bench bench(settings, words + 50);
  std::string text;
  for (int i = 0; i < 20; ++i) {
    bench.ask();
    text += kHello;
  }
  bench.receive(text);
  CHECK(bench.client->hasWork());
  for (int i = 0; i < 20; ++i) bench.turn();
  CHECK_EQ(bench.client->responses(), 20u);
  CHECK(!bench.client->hasWork());
  CHECK(!bench.loop.paused);
}

TEST(http_client_gives_each_part_of_a_response_its_time) {
  Ask ask;
  ask.headMs = 100;
  ask.bodyMs = 50;
  Bench head;
  head.ask(ask);
  head.tick(99);
  CHECK(!head.loop.closed);
  head.receive("HTTP/1.1 ");  // a slow drip does not prolong it
  head.tick(2);
  head.turn();
  CHECK(head.failed(ResponseError::kHeadTimeout));
  Bench body;
  body.ask(ask);
  body.receive("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
  body.tick(40);
  body.receive("a");
  body.tick(40);
  CHECK(!body.loop.closed);
  body.channel.flags |= kPaused;
  body.tick(1000);
  CHECK(!body.loop.closed);
  body.channel.flags &= ~kPaused;
  body.client->readingPaused(body.channel, false, body.now);
  body.tick(51);
  body.turn();
  CHECK(body.failed(ResponseError::kBodyTimeout));
}

TEST(http_client_gives_the_head_its_time_from_the_end_of_the_request) {
  Ask ask;
  ask.headMs = 100;
  ask.sending = true;
  Bench bench;
  bench.ask(ask);
  bench.tick(1000);
  CHECK(!bench.loop.closed);
  const int32_t words[kRecordWords] = {static_cast<int32_t>(CommandKind::kClientSent)};
  bench.client->command(bench.channel, words, bench.now);
  bench.tick(101);
  bench.turn();
  CHECK(bench.failed(ResponseError::kHeadTimeout));
}

TEST(http_client_closes_what_nobody_uses) {
  ClientSettings settings;
  settings.keepAliveMs = 200;
  Bench bench(settings);
  bench.ask();
  bench.receive(kHello);
  bench.turn();
  bench.tick(150);
  CHECK(!bench.loop.closed);
  bench.tick(51);
  CHECK(bench.loop.closed);
  CHECK_EQ(bench.fault, 0);
}

// Whatever comes, in whatever pieces, and whatever is asked meanwhile: nothing leaks, and nothing
// is told behind a fault.
TEST(http_client_stays_sane_on_random_bytes) {
  const std::string texts[] = {
      kHello,
      "HTTP/1.1 100 Continue\r\n\r\n" + kHello,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: u\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nraw",
      "HTTP/1.0 200 OK\r\n\r\nto the end",
      "HTTP/1.1 204 No Content\r\n\r\n",
  };
  test::Random random(23);
  for (int round = 0; round < 800; ++round) {
    Bench bench({}, recordWords(100) + random.below(2000));
    std::string text;
    for (uint32_t i = 0; i <= random.below(4); ++i) text += texts[random.below(6)];
    for (uint32_t i = random.below(4); i > 0; --i) {
      text[random.below(static_cast<uint32_t>(text.size()))] = static_cast<char>(random.below(256));
    }
    for (size_t at = 0; at < text.size();) {
      Ask ask;
      ask.upgrade = random.below(2) == 0;
      ask.asked.head = random.below(8) == 0;
      ask.headMs = 1000;
      if (random.below(3) == 0) bench.ask(ask);
      const size_t size = 1 + random.below(60);
      bench.receive(std::string_view(text).substr(at, size));
      at += size;
      if (bench.channel.state != ChannelState::kOpen) break;
      if (random.below(8) == 0) bench.client->takeRaw(bench.channel);
      if (random.below(4) == 0) bench.turn();
      if (random.below(16) == 0) bench.tick(random.below(400));
    }
    if (bench.channel.state == ChannelState::kOpen && random.below(2) == 0) {
      bench.client->peerEnded(bench.channel);
    }
    bench.turn();
    CHECK_EQ(bench.loop.closed, bench.channel.state != ChannelState::kOpen);
    const std::string told = bench.log;
    const bool isOver = bench.fault != 0;
    bench.turn();
    if (isOver) CHECK_EQ(bench.log, told);
    bench.finish();
    CHECK(bench.arena.stats().outstanding <= 1);  // the warm receive block
  }
}

}  // namespace
