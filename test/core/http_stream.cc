// Whole connections: the same bytes give the same events however they are cut into receives, with
// vectors and without.
#include <random>
#include <string>

#include "../http/request_stream.h"
#include "check.h"

namespace {

using namespace ringpoll::http;
using namespace ringpoll::http::testing;
using namespace std::string_literals;

constexpr int kConnections = 1500;

const char* const kParts[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /a?b HTTP/1.1\r\nHost: example.org:8080\r\nContent-Length: 5\r\n\r\nhello",
    "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;e=\"q\"\r\nabc\r\n0\r\n\r\n",
    "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nDigest: x\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
    "GET http://b:80/c HTTP/1.1\r\nhost: B:80\r\nConnection: close\r\n\r\n",
    "CONNECT c.example:443 HTTP/1.1\r\nHost: c.example:443\r\n\r\n",
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
    "websocket\r\n\r\n",
    "\r\n",
    "GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
};

std::string randomConnection(std::mt19937& random) {
  std::string input;
  for (uint32_t parts = 1 + random() % 4; parts > 0; parts--) {
    input += kParts[random() % std::size(kParts)];
  }
  static const std::string kNasty = "\r\n\t :;,\"\\\0\x7f\x80\xff#?@/[]AZaz09"s;
  for (uint32_t changes = random() % 3; changes > 0 && !input.empty(); changes--) {
    const size_t at = random() % input.size();
    const char byte = kNasty[random() % kNasty.size()];
    switch (random() % 3) {
      case 0:
        input[at] = byte;
        break;
      case 1:
        input.insert(at, 1, byte);
        break;
      default:
        input.erase(at, 1);
        break;
    }
  }
  return input;
}

void agree(const StreamSettings& settings, uint32_t seed) {
  std::mt19937 random(seed);
  for (int i = 0; i < kConnections; i++) {
    const std::string input = randomConnection(random);
    const std::string whole = runStream<HeadParser>(settings, input, Split::kWhole);
    CHECK_EQ(runStream<ScalarHeadParser>(settings, input, Split::kWhole), whole);
    CHECK_EQ(runStream<HeadParser>(settings, input, Split::kBytes), whole);
    CHECK_EQ(runStream<HeadParser>(settings, input, Split::kRandom, random()), whole);
  }
}

TEST(http_stream_events_do_not_depend_on_the_receives) { agree({}, 1); }

TEST(http_stream_events_do_not_depend_on_the_receives_when_lenient) {
  StreamSettings settings;
  settings.options.lenient = kLenientAll;
  settings.options.unknownMethods = true;
  settings.acceptUpgrade = false;
  agree(settings, 2);
}

TEST(http_stream_events_do_not_depend_on_the_receives_when_limits_are_near) {
  StreamSettings settings;
  settings.options.limits.headBytesMax = 64;
  settings.options.limits.targetBytesMax = 8;
  settings.options.limits.headersMax = 2;
  settings.options.limits.bodyBytesMax = 4;
  settings.options.limits.trailerBytesMax = 12;
  settings.options.limits.trailersMax = 1;
  settings.options.limits.chunkExtensionBytesMax = 5;
  agree(settings, 3);
}

TEST(http_stream_pipelined_requests_are_told_apart) {
  std::string input;
  for (int i = 0; i < 16; i++) input += kParts[1];
  const std::string events = runStream<HeadParser>({}, input, Split::kWhole);
  size_t ends = 0;
  for (size_t at = 0; (at = events.find(R"("event":"end")", at)) != std::string::npos; at++) ends++;
  CHECK_EQ(ends, 16);
}

}  // namespace
