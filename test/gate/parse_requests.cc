// Parses requests, for an instrument that counts instructions: parse_requests small|browser COUNT
#include <cstdlib>
#include <cstring>

#include "bench/bench_cases.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto count = static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10));
  const ringpoll::bench::Threads none{nullptr, nullptr};
  const bool small = std::strcmp(argv[1], "small") == 0;
  const auto sample =
      small ? ringpoll::bench::parseSmall(count, none) : ringpoll::bench::parseBrowser(count, none);
  return sample.refused.empty() ? 0 : 1;
}
