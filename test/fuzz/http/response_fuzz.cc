// Fuzzes the response parsers. The first two bytes choose options and the request, the rest is what
// a server sends.
//
// Whatever the bytes are: cut into receives in any way the events are the same, and nothing is read
// outside of them (the sanitizers watch). And a head that is taken has properties that a few lines
// of other code can see.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/response_stream.h"

namespace {

using namespace ringpoll::http;
using namespace ringpoll::http::testing;

void demand(bool holds, const char* what, const std::string& detail = "") {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n%s\n", what, detail.c_str());
  std::abort();
}

ResponseSettings settingsFrom(uint8_t first, uint8_t second) {
  ResponseSettings settings;
  settings.asked.head = (first & 1) != 0;
  settings.asked.connect = (first & 2) != 0;
  Limits& limits = settings.options.limits;
  if ((second & 1) != 0) limits.headBytesMax = 128;
  if ((second & 2) != 0) limits.headersMax = 3;
  if ((second & 4) != 0) limits.bodyBytesMax = 16;
  if ((second & 8) != 0) limits.trailerBytesMax = 24;
  if ((second & 16) != 0) limits.trailersMax = 2;
  if ((second & 32) != 0) limits.chunkExtensionBytesMax = 6;
  return settings;
}

void agreeHoweverCut(const ResponseSettings& settings, std::string_view input) {
  const std::string whole = runResponses(settings, input, [](size_t left) { return left; });
  const auto compare = [&](const char* how, const std::string& other) {
    demand(other == whole, how, whole + "--- but ---\n" + other);
  };
  compare("byte by byte", runResponses(settings, input, [](size_t) { return size_t{1}; }));
  auto random = static_cast<uint32_t>(std::hash<std::string_view>{}(input));
  compare("random cuts", runResponses(settings, input, [&random](size_t) {
            random = random * 1664525u + 1013904223u;
            return size_t{1} + (random >> 8) % 12;
          }));
}

void checkHead(std::string_view head) {
  demand(head.ends_with("\r\n\r\n"), "a head ends in an empty line");
  demand(head.starts_with("HTTP/1."), "a version");
  const std::string_view status = head.substr(9, 3);
  for (const char c : status) demand(c >= '0' && c <= '9', "a status of three digits");
  demand(status >= "100", "a status from 100 on");
  bool first = true;
  for (head.remove_suffix(2); !head.empty(); first = false) {
    const size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    for (const char c : line) {
      const auto byte = static_cast<uint8_t>(c);
      demand((byte >= 0x20 && byte != 0x7f) || byte == '\t', "a control character");
    }
    if (first) continue;
    const size_t colon = line.find(':');
    demand(colon != std::string_view::npos && colon > 0, "a name and a colon");
    for (const char c : line.substr(0, colon)) {
      demand(is(static_cast<uint8_t>(c), kToken), "a token");
    }
  }
}

void checkStrictHead(std::string_view input) {
  const Options options;
  std::vector<uint32_t> record(recordWords(options.limits.headersMax));
  ResponseParser parser(options);
  parser.begin(record.data(), static_cast<uint32_t>(record.size()));
  const HeadResult result = parser.feed(reinterpret_cast<const uint8_t*>(input.data()),
                                        static_cast<uint32_t>(input.size()));
  demand(result.offset <= input.size(), "an offset within the input");
  if (result.step == Step::kDone) checkHead(input.substr(0, result.offset));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  agreeHoweverCut(settingsFrom(data[0], data[1]), input);
  checkStrictHead(input);
  return 0;
}
