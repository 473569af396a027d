// Fuzzes the request parsers. The first two bytes choose options, the rest is what a peer sends.
//
// Whatever the bytes are: cut into receives in any way, with vectors or without, the events are
// the same, and nothing is read outside of them (the sanitizers watch). And a head that the strict
// parser takes has properties that a few lines of other code can see.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/http/parser/request_parser.h"
#include "http/request_stream.h"

namespace {

using namespace ringpoll::http;
using namespace ringpoll::http::testing;

void demand(bool holds, const char* what, const std::string& detail = "") {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n%s\n", what, detail.c_str());
  std::abort();
}

StreamSettings settingsFrom(uint8_t first, uint8_t second) {
  StreamSettings settings;
  settings.options.lenient = first & kLenientAll;
  settings.acceptUpgrade = (first & 0x80) == 0;
  settings.options.unknownMethods = (second & 1) != 0;
  settings.options.lengthRequired = (second & 2) != 0;
  Limits& limits = settings.options.limits;
  if ((second & 4) != 0) limits.headBytesMax = 128;
  if ((second & 8) != 0) limits.targetBytesMax = 16;
  if ((second & 16) != 0) limits.headersMax = 3;
  if ((second & 32) != 0) limits.bodyBytesMax = 16;
  if ((second & 64) != 0) limits.trailerBytesMax = 24;
  if ((second & 128) != 0) limits.chunkExtensionBytesMax = 6;
  return settings;
}

void agreeHoweverCut(const StreamSettings& settings, std::string_view input) {
  const std::string whole = runStream<HeadParser>(settings, input, Split::kWhole);
  const auto compare = [&](const char* how, const std::string& other) {
    demand(other == whole, how, whole + "--- but ---\n" + other);
  };
  compare("scalar scan", runStream<ScalarHeadParser>(settings, input, Split::kWhole));
  compare("byte by byte", runStream<HeadParser>(settings, input, Split::kBytes));
  const auto seed = static_cast<uint32_t>(std::hash<std::string_view>{}(input));
  compare("random cuts", runStream<HeadParser>(settings, input, Split::kRandom, seed));
}

// A connection that remembers its last head, of this input or of one that differs in a byte, takes
// and refuses the same.
void agreeRemembering(const StreamSettings& settings, std::string_view input) {
  const std::string whole = runStream<HeadParser>(settings, input, Split::kWhole);
  std::string other(input);
  const size_t seed = std::hash<std::string_view>{}(input);
  if (!other.empty()) other[seed % other.size()] ^= static_cast<char>(1 << (seed >> 32) % 8);
  for (const std::string_view before : {input, std::string_view(other)}) {
    HeadMemory memory;
    const auto run = [&](std::string_view what) {
      return runStream<HeadParser>(settings, what, Split::kWhole, 0, &memory);
    };
    for (int i = 0; i < 2; i++) run(before);
    const std::string found = run(input);
    demand(found == whole, "remembering", whole + "--- but ---\n" + found);
  }
}

bool startsIgnoringCase(std::string_view line, std::string_view name) {
  return line.size() >= name.size() &&
         equalsIgnoringCase(reinterpret_cast<const uint8_t*>(line.data()),
                            static_cast<uint32_t>(name.size()), name);
}

void checkHead(std::string_view head) {
  demand(head.ends_with("\r\n\r\n"), "a head ends in an empty line");
  while (head.starts_with("\r\n")) head.remove_prefix(2);
  int hosts = 0, lengths = 0, codings = 0, lines = 0;
  bool version11 = false;
  for (head.remove_suffix(2); !head.empty(); lines++) {
    const size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    for (char c : line) {
      const auto byte = static_cast<uint8_t>(c);
      demand((byte >= 0x20 && byte != 0x7f) || byte == '\t', "a control character");
    }
    if (lines == 0) {
      // A later HTTP/1 is answered as 1.1 (RFC 9110 section 6.2).
      demand(!line.empty() && line.substr(0, line.size() - 1).ends_with(" HTTP/1."), "a version");
      const char minor = line.back();
      demand(minor >= '0' && minor <= '9', "a minor version");
      version11 = minor != '0';
      demand(std::count(line.begin(), line.end(), ' ') == 2, "two spaces in a request line");
      continue;
    }
    const size_t colon = line.find(':');
    demand(colon != std::string_view::npos && colon > 0, "a name and a colon");
    for (char c : line.substr(0, colon)) demand(is(static_cast<uint8_t>(c), kToken), "a token");
    hosts += startsIgnoringCase(line, "host:");
    lengths += startsIgnoringCase(line, "content-length:");
    codings += startsIgnoringCase(line, "transfer-encoding:");
  }
  demand(lines > 0, "a request line");
  demand(hosts <= 1 && (hosts == 1 || !version11), "one Host");
  demand(lengths + codings <= 1, "one way to tell the length");
}

void checkStrictHead(std::string_view input) {
  const Options options;
  std::vector<uint32_t> record(recordWords(options.limits.headersMax));
  HeadParser parser(options);
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
  agreeRemembering(settingsFrom(data[0], data[1]), input);
  checkStrictHead(input);
  return 0;
}
