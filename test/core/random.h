// A small random generator, the same on every machine, so that a seed names a run.
#pragma once

#include <cstdint>

namespace test {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  // SplitMix64: every seed is a good one.
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // 0 to bound - 1.
  uint64_t below(uint64_t bound) { return next() % bound; }
  uint64_t between(uint64_t low, uint64_t high) { return low + below(high - low + 1); }
  bool oneIn(uint64_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

// The byte at `position` of stream `stream`: a model of any stream without keeping its bytes.
inline uint8_t streamByte(uint64_t stream, uint64_t position) {
  return static_cast<uint8_t>((stream * 131 + position * 7 + (position >> 8) * 29) & 0xff);
}

}  // namespace test
