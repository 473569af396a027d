// The generator of the core for tests, and a stream of bytes that is its own model.
#pragma once

#include <cstdint>

#include "core/base/seeded_random.h"

namespace test {

class Random : public ringpoll::SeededRandom {
 public:
  using SeededRandom::SeededRandom;

  bool oneIn(uint64_t n) { return below(n) == 0; }
};

// The byte at `position` of stream `stream`: a model of any stream without keeping its bytes.
inline uint8_t streamByte(uint64_t stream, uint64_t position) {
  return static_cast<uint8_t>((stream * 131 + position * 7 + (position >> 8) * 29) & 0xff);
}

}  // namespace test
