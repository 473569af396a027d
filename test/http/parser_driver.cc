// Runs the request parser over frames from stdin and prints what it found as lines of JSON.
//
// A frame is a 32-bit little-endian length and as many bytes: one connection's worth of input.
// Its events end with {"event":"eof",...}; the next frame's follow.
//
//   --split=whole|bytes|random:SEED   how the input is cut into receives (default: whole)
//   --scan=vector|scalar              which scanner (default: vector)
//   --verify                          also run it the other ways and print {"event":"mismatch"}
//                                     before the eof line when any of them differs
//   --lenient=BITS --unknown-methods --length-required --decline-upgrade
//   --limit=NAME:NUMBER               head, target, headers, body, trailer, trailers, extension
//   --tables                          print the numbers that JavaScript needs and exit
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "core/http/parser/errors.h"
#include "core/http/parser/header_names.h"
#include "core/http/parser/methods.h"
#include "request_stream.h"

namespace {

using namespace ringpoll::http;
using namespace ringpoll::http::testing;

constexpr uint32_t kFrameBytesMax = 64 * 1024 * 1024;
constexpr uint32_t kVerifySeeds = 3;

struct Arguments {
  StreamSettings settings;
  Split split = Split::kWhole;
  uint32_t seed = 0;
  bool scalar = false;
  bool verify = false;
  bool tables = false;
};

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "parser_driver: %s\n", why.c_str());
  std::exit(2);
}

void setLimit(Limits& limits, std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const uint64_t value = std::strtoull(text.substr(colon + 1).data(), nullptr, 10);
  const auto small = static_cast<uint32_t>(value);
  if (name == "head")
    limits.headBytesMax = small;
  else if (name == "target")
    limits.targetBytesMax = small;
  else if (name == "headers")
    limits.headersMax = small;
  else if (name == "body")
    limits.bodyBytesMax = value;
  else if (name == "trailer")
    limits.trailerBytesMax = small;
  else if (name == "trailers")
    limits.trailersMax = small;
  else if (name == "extension")
    limits.chunkExtensionBytesMax = small;
  else
    die("no such limit: " + std::string(name));
}

Arguments parseArguments(int argc, char** argv) {
  Arguments arguments;
  Options& options = arguments.settings.options;
  for (int i = 1; i < argc; i++) {
    const std::string_view argument = argv[i];
    const std::string_view value =
        argument.substr(std::min(argument.find('=') + 1, argument.size()));
    if (argument == "--split=whole")
      arguments.split = Split::kWhole;
    else if (argument == "--split=bytes")
      arguments.split = Split::kBytes;
    else if (argument.starts_with("--split=random:")) {
      arguments.split = Split::kRandom;
      arguments.seed = static_cast<uint32_t>(std::atoll(argv[i] + 15));
    } else if (argument == "--scan=vector")
      arguments.scalar = false;
    else if (argument == "--scan=scalar")
      arguments.scalar = true;
    else if (argument == "--verify")
      arguments.verify = true;
    else if (argument.starts_with("--lenient="))
      options.lenient = std::atoi(value.data());
    else if (argument == "--unknown-methods")
      options.unknownMethods = true;
    else if (argument == "--length-required")
      options.lengthRequired = true;
    else if (argument == "--decline-upgrade")
      arguments.settings.acceptUpgrade = false;
    else if (argument.starts_with("--limit="))
      setLimit(options.limits, value);
    else if (argument == "--tables")
      arguments.tables = true;
    else
      die("no such argument: " + std::string(argument));
  }
  return arguments;
}

std::string run(const StreamSettings& settings, std::string_view input, Split split, uint32_t seed,
                bool scalar) {
  return scalar ? runStream<ScalarHeadParser>(settings, input, split, seed)
                : runStream<HeadParser>(settings, input, split, seed);
}

std::string verified(const Arguments& arguments, std::string_view input, std::string_view before,
                     std::string events) {
  const auto judge = [&](const char* how, const std::string& other) {
    if (other == events) return;
    std::string line = std::string(R"({"event":"mismatch","how":")") + how + R"(","events":)";
    appendJson(line, reinterpret_cast<const uint8_t*>(other.data()), other.size());
    events = line + "}\n" + events;
  };
  const auto compare = [&](const char* how, Split split, uint32_t seed, bool scalar) {
    judge(how, run(arguments.settings, input, split, seed, scalar));
  };
  compare("scalar", Split::kWhole, 0, true);
  compare("bytes", Split::kBytes, 0, false);
  compare("scalar bytes", Split::kBytes, 0, true);
  for (uint32_t seed = 1; seed <= kVerifySeeds; seed++) {
    compare("random", Split::kRandom, static_cast<uint32_t>(input.size()) * 31 + seed, false);
  }
  // On a connection whose last head was one of the input before, and then one of this input.
  HeadMemory memory;
  const auto remembering = [&](std::string_view what, Split split, uint32_t seed) {
    return runStream<HeadParser>(arguments.settings, what, split, seed, &memory);
  };
  for (int i = 0; i < 2; i++) remembering(before, Split::kWhole, 0);
  judge("remembering another", remembering(input, Split::kWhole, 0));
  judge("remembering the same", remembering(input, Split::kWhole, 0));
  judge("remembering, random", remembering(input, Split::kRandom, arguments.seed + 1));
  judge("remembering, bytes", remembering(input, Split::kBytes, 0));
  return events;
}

void printTables() {
  std::string out = R"({"methods":[)";
  for (uint32_t i = 0; i < static_cast<uint32_t>(Method::kCount); i++) {
    out += (i == 0 ? "\"" : ",\"") + std::string(methodName(static_cast<Method>(i))) + '"';
  }
  out += R"(],"headers":[)";
  for (uint32_t i = 0; i < kHeaderCount; i++) {
    out += (i == 0 ? "\"" : ",\"") + std::string(kHeaderNames[i]) + '"';
  }
  out += R"(],"errors":[)";
  for (uint32_t i = 1; i < static_cast<uint32_t>(HttpError::kCount); i++) {
    const ErrorEntry& entry = describe(static_cast<HttpError>(i));
    out += std::string(i == 1 ? "" : ",") + R"({"code":")" + entry.code + R"(","status":)" +
           std::to_string(entry.status) + R"(,"message":")" + entry.message + R"("})";
  }
  const std::pair<const char*, uint32_t> words[] = {
      {"headLength", kRecordHeadLength},
      {"flags", kRecordFlags},
      {"method", kRecordMethod},
      {"methodOffset", kRecordMethodOffset},
      {"methodLength", kRecordMethodLength},
      {"targetOffset", kRecordTargetOffset},
      {"targetLength", kRecordTargetLength},
      {"queryOffset", kRecordQueryOffset},
      {"contentLengthLow", kRecordContentLengthLow},
      {"contentLengthHigh", kRecordContentLengthHigh},
      {"knownLow", kRecordKnownLow},
      {"knownHigh", kRecordKnownHigh},
      {"headerCount", kRecordHeaderCount},
      {"hostIndex", kRecordHostIndex},
      {"headers", kRecordHeaders},
      {"fieldWords", kFieldWords},
  };
  out += R"(],"words":{)";
  for (const auto& [name, word] : words) {
    out += std::string(word == 0 ? "\"" : ",\"") + name + "\":" + std::to_string(word);
  }
  std::printf("%s}}\n", out.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = parseArguments(argc, argv);
  if (arguments.tables) {
    printTables();
    return 0;
  }
  uint8_t header[4];
  std::string input;
  std::string before;
  while (std::fread(header, 1, 4, stdin) == 4) {
    const uint32_t length =
        header[0] | header[1] << 8 | header[2] << 16 | static_cast<uint32_t>(header[3]) << 24;
    if (length > kFrameBytesMax) die("frame too long");
    input.resize(length);
    if (std::fread(input.data(), 1, length, stdin) != length) die("frame cut short");
    std::string events =
        run(arguments.settings, input, arguments.split, arguments.seed, arguments.scalar);
    if (arguments.verify) events = verified(arguments, input, before, std::move(events));
    before = input;
    std::fwrite(events.data(), 1, events.size(), stdout);
    std::fflush(stdout);
  }
  return 0;
}
