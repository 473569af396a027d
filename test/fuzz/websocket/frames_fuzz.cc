// Fuzzes the parser of frames. The first byte chooses options, the rest is what a peer sends.
// Whatever the bytes are: cut into receives in any way they mean the same, which is what a plain
// model reads in them, and nothing is read or written outside of them (the sanitizers watch).
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

#include "core/random.h"
#include "core/websocket_model.h"

namespace {

using namespace ringpoll::websocket;
using namespace test;

void demand(const std::vector<WsNote>& got, const std::vector<WsNote>& expected, const char* how) {
  if (got == expected) return;
  std::fprintf(stderr, "violated: %s\n%s\n--- but ---\n%s\n", how, show(expected).c_str(),
               show(got).c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  FrameLimits limits;
  limits.role = data[0] & 1 ? Role::kClient : Role::kServer;
  limits.compression = (data[0] & 2) != 0;
  limits.messageBytesMax = data[0] & 4 ? 40 : 1 << 20;
  limits.compressedBytesMax = limits.messageBytesMax + 8;
  const std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::vector<WsNote> expected = WsModel(limits).read(input);
  demand(parseInPieces(input, limits, [](size_t left) { return left; }), expected, "whole");
  demand(parseInPieces(input, limits, [](size_t) { return size_t{1}; }), expected, "byte by byte");
  Random random(std::hash<std::string_view>{}(input));
  demand(parseInPieces(input, limits,
                       [&](size_t) { return static_cast<size_t>(random.between(1, 12)); }),
         expected, "random cuts");
  return 0;
}
