// A connection that remembers its last head takes and refuses what one without memory does.
#include <algorithm>
#include <string>
#include <vector>

#include "check.h"
#include "core/http/parser/request_parser.h"
#include "random.h"

namespace {

using namespace ringpoll::http;

struct Parsed {
  HeadResult result;
  std::vector<uint32_t> record;
};

// One head, in two parts if `cut` lies within it.
Parsed parse(HeadParser& parser, const std::string& text, size_t cut = 0) {
  Parsed parsed{{}, std::vector<uint32_t>(recordWords(100), 0xdeadbeef)};
  parser.begin(parsed.record.data(), static_cast<uint32_t>(parsed.record.size()));
  // Copies of the right size: a sanitizer sees what is read behind them.
  const std::vector<uint8_t> whole(text.begin(), text.end());
  if (cut > 0 && cut < whole.size()) {
    const std::vector<uint8_t> part(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(cut));
    parsed.result = parser.feed(part.data(), static_cast<uint32_t>(part.size()));
    if (parsed.result.step != Step::kNeedMore) return parsed;
  }
  parsed.result = parser.feed(whole.data(), static_cast<uint32_t>(whole.size()));
  return parsed;
}

bool same(const Parsed& a, const Parsed& b) {
  if (a.result.step != b.result.step || a.result.error != b.result.error) return false;
  if (a.result.step == Step::kNeedMore) return true;
  if (a.result.offset != b.result.offset) return false;
  if (a.result.step == Step::kError) return true;
  for (uint32_t i = 0; i < recordWords(a.record[kRecordHeaderCount]); ++i) {
    if (i == kRecordMemory || i == kRecordSameHead) continue;
    if (a.record[i] != b.record[i]) return false;
  }
  return true;
}

// A connection, and the parser that it is compared with.
struct Pair {
  explicit Pair(const Options& given = {}) : options(given), plain(options) {}

  bool agree(const std::string& text, size_t cut = 0) {
    HeadParser remembering(options, memory);
    last = parse(remembering, text, cut);
    return same(last, parse(plain, text, cut));
  }

  Options options;
  HeadParser plain;
  HeadMemory memory;
  Parsed last;
};

const std::string kFields = "Host: example.org:80\r\nAccept: */*\r\nX-A: 1\r\n\r\n";

TEST(http_head_memory_takes_the_same_head_again) {
  Pair pair;
  for (int i = 0; i < 5; ++i) CHECK(pair.agree("GET /a?b=c HTTP/1.1\r\n" + kFields + "next"));
  CHECK_EQ(pair.last.result.step, Step::kDone);
}

TEST(http_head_memory_takes_the_same_fields_behind_another_request_line) {
  Pair pair;
  for (const char* line : {"GET / HTTP/1.1\r\n", "GET /longer/path?q HTTP/1.1\r\n",
                           "GET /x HTTP/1.1\r\n", "\r\nGET /x HTTP/1.1\r\n"}) {
    for (int i = 0; i < 2; ++i) CHECK(pair.agree(line + kFields));
    CHECK_EQ(pair.last.result.step, Step::kDone);
  }
}

// What the fields mean depends on what stands before them.
TEST(http_head_memory_judges_anew_behind_a_request_line_of_another_kind) {
  Options strict;
  strict.lengthRequired = true;
  Pair pair(strict);
  const std::string get = "GET / HTTP/1.1\r\n" + kFields;
  for (const char* line :
       {"POST / HTTP/1.1\r\n", "GET / HTTP/1.0\r\n", "CONNECT example.org:80 HTTP/1.1\r\n",
        "CONNECT /x:80 HTTP/1.1\r\n", "OPTIONS * HTTP/1.1\r\n", "GET http://other/ HTTP/1.1\r\n",
        "GET http://example.org/ HTTP/1.1\r\n", "GET x HTTP/1.1\r\n", "GET  HTTP/1.1\r\n",
        "GET / HTTP/1.7\r\n", "GET / HTTP/2.0\r\n", "HEAD / HTTP/1.1\r\n"}) {
    for (int i = 0; i < 3; ++i) CHECK(pair.agree(get));
    CHECK(pair.agree(line + kFields));
    CHECK(pair.agree(line + kFields));
  }
}

TEST(http_head_memory_does_not_keep_what_was_refused) {
  Pair pair;
  const std::string bad = "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n";
  for (int i = 0; i < 4; ++i) {
    CHECK(pair.agree(bad));
    CHECK_EQ(pair.last.result.error, HttpError::kHostRepeated);
  }
}

// The limit counts from the first byte of the request line.
TEST(http_head_memory_refuses_a_head_that_a_longer_target_makes_too_long) {
  Options options;
  options.limits.headBytesMax = 100;
  Pair pair(options);
  for (int i = 0; i < 3; ++i) CHECK(pair.agree("GET / HTTP/1.1\r\n" + kFields));
  bool refused = false;
  for (size_t length = 1; length < 80; ++length) {
    CHECK(pair.agree("GET /" + std::string(length, 'a') + " HTTP/1.1\r\n" + kFields));
    refused = refused || pair.last.result.step == Step::kError;
    for (int i = 0; i < 2; ++i) CHECK(pair.agree("GET / HTTP/1.1\r\n" + kFields));
  }
  CHECK(refused);
}

TEST(http_head_memory_keeps_no_long_heads_and_none_with_many_headers) {
  Pair pair;
  const std::string longOne =
      "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(kRepeatedHeadBytesMax, 'x') + "\r\n\r\n";
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (uint32_t i = 0; i <= kRepeatedHeadersMax; ++i) many += "X: y\r\n";
  many += "\r\n";
  for (const std::string& text : {longOne, many}) {
    HeadMemory memory;
    Options options;
    for (int i = 0; i < 3; ++i) {
      HeadParser parser(options, memory);
      CHECK_EQ(parse(parser, text).result.step, Step::kDone);
    }
    std::vector<uint32_t> record(recordWords(100));
    CHECK_EQ(memory.recall(reinterpret_cast<const uint8_t*>(text.data()),
                           static_cast<uint32_t>(text.size()), record.data()),
             0);
    for (int i = 0; i < 3; ++i) CHECK(pair.agree(text));
  }
}

TEST(http_head_memory_gives_up_on_a_client_that_never_repeats_itself) {
  Options options;
  std::vector<uint32_t> record(recordWords(100));
  // Whether the last of so many different heads is remembered.
  const auto remembered = [&](uint32_t heads) -> bool {
    HeadMemory memory;
    std::string text;
    for (uint32_t i = 0; i < heads; ++i) {
      text = "GET / HTTP/1.1\r\nHost: a\r\nX-Id: " + std::to_string(i) + "\r\n\r\n";
      HeadParser parser(options, memory);
      parse(parser, text);
    }
    return memory.recall(reinterpret_cast<const uint8_t*>(text.data()),
                         static_cast<uint32_t>(text.size()), record.data()) > 0;
  };
  CHECK(!remembered(1));
  for (uint32_t heads = 2; heads <= kRepeatMissesMax; ++heads) CHECK(remembered(heads));
  for (uint32_t heads : {kRepeatMissesMax + 1, kRepeatMissesMax + 2}) CHECK(!remembered(heads));
}

// Heads of a small alphabet, so that they repeat each other in part; each is followed by itself,
// by another, or by one of its mutations, whole or cut at any byte.
TEST(http_head_memory_agrees_with_the_plain_parser_at_random) {
  const std::vector<std::string> lines = {
      "GET / HTTP/1.1\r\n",        "GET /a/b?c HTTP/1.1\r\n",    "POST / HTTP/1.1\r\n",
      "GET / HTTP/1.0\r\n",        "OPTIONS * HTTP/1.1\r\n",     "GET http://a/ HTTP/1.1\r\n",
      "CONNECT a:80 HTTP/1.1\r\n", "\r\nDELETE /x HTTP/1.1\r\n", "GET /%zz HTTP/1.1\n"};
  const std::vector<std::string> fields = {"Host: a\r\n",
                                           "Host:\r\n",
                                           "Content-Length: 5\r\n",
                                           "Accept: */*\r\n",
                                           "Connection: close\r\n",
                                           "Cookie: a=b\r\n",
                                           "X: \t y \r\n",
                                           "X:y\n",
                                           "Connection: upgrade\r\nUpgrade: x\r\n",
                                           "Transfer-Encoding: chunked\r\n",
                                           "Expect: 100-continue\r\n",
                                           "Host: b:99999\r\n",
                                           "bad name: x\r\n"};
  const std::string bytes = "\r\n :aZ\t%[]\x80";
  uint32_t accepted = 0;
  uint32_t repeated = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    test::Random random(seed);
    Options options;
    if (random.oneIn(3)) options.lenient = static_cast<uint32_t>(random.below(128));
    options.lengthRequired = random.oneIn(4);
    options.unknownMethods = random.oneIn(2);
    if (random.oneIn(4)) options.limits.headBytesMax = 64;
    if (random.oneIn(4)) options.limits.headersMax = 2;
    Pair pair(options);
    std::string text;
    for (int step = 0; step < 60; ++step) {
      const std::string before = text;
      const uint64_t how = text.empty() ? 3 : random.below(6);
      if (how == 3) {
        text = lines[random.below(lines.size())] + (random.oneIn(5) ? "" : fields[0]);
        for (uint64_t n = random.below(4); n > 0; --n) text += fields[random.below(fields.size())];
        text += "\r\n";
      } else if (how == 4) {  // the same fields behind another line
        const size_t end = text.find('\n', 2);
        const std::string& line = lines[random.below(lines.size())];
        if (end != std::string::npos) text = line + text.substr(end + 1);
      } else if (how == 5) {
        text[random.below(text.size())] = bytes[random.below(bytes.size())];
      }
      std::string sent = text + (random.oneIn(2) ? "GET /next" : "");
      if (random.oneIn(8)) sent.resize(random.below(sent.size() + 1));
      if (sent.empty()) continue;
      const size_t cut = random.oneIn(2) ? random.below(sent.size()) : 0;
      const bool agreed = pair.agree(sent, cut);
      if (!agreed) std::fprintf(stderr, "seed %d: %s\n", static_cast<int>(seed), sent.c_str());
      CHECK(agreed);
      accepted += pair.last.result.step == Step::kDone;
      repeated += pair.last.result.step == Step::kDone && text == before;
    }
  }
  CHECK(accepted > 3000);
  CHECK(repeated > 1000);
}

}  // namespace
