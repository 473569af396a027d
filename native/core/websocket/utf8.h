// Whether bytes are UTF-8 (RFC 3629), piece by piece: a character may be split between two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ringpoll::websocket {

class Utf8Check {
 public:
  // False: what has come is not the beginning of any valid text. Then it must not go on.
  bool feed(const uint8_t* data, size_t length) {
    size_t at = 0;
    while (at < length) {
      if (needed_ == 0) {
        at += asciiPrefix(data + at, length - at);
        if (at == length) return true;
        if (!begin(data[at++])) return false;
        continue;
      }
      const uint8_t byte = data[at++];
      if (byte < low_ || byte > high_) return false;
      --needed_;
      low_ = kContinuationMin;
      high_ = kContinuationMax;
    }
    return true;
  }
  // The text may end here.
  bool complete() const { return needed_ == 0; }
  void reset() { *this = {}; }

 private:
  static constexpr uint8_t kContinuationMin = 0x80;
  static constexpr uint8_t kContinuationMax = 0xbf;

  static size_t asciiPrefix(const uint8_t* data, size_t length) {
    constexpr uint64_t kHighBits = 0x8080808080808080;
    size_t at = 0;
    for (; at + 4 * sizeof(uint64_t) <= length; at += 4 * sizeof(uint64_t)) {
      uint64_t words[4];
      std::memcpy(words, data + at, sizeof words);
      if ((words[0] | words[1] | words[2] | words[3]) & kHighBits) break;
    }
    while (at < length && data[at] < kContinuationMin) ++at;
    return at;
  }

  // The first byte of a character of several: how many follow, and what the next one may be. That
  // excludes what could be written shorter, surrogates, and what lies above U+10FFFF.
  bool begin(uint8_t byte) {
    low_ = kContinuationMin;
    high_ = kContinuationMax;
    if (byte >= 0xc2 && byte <= 0xdf) {
      needed_ = 1;
    } else if (byte >= 0xe0 && byte <= 0xef) {
      needed_ = 2;
      if (byte == 0xe0) low_ = 0xa0;
      if (byte == 0xed) high_ = 0x9f;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      needed_ = 3;
      if (byte == 0xf0) low_ = 0x90;
      if (byte == 0xf4) high_ = 0x8f;
    } else {
      return false;
    }
    return true;
  }

  uint8_t needed_ = 0;  // bytes that the current character lacks
  uint8_t low_ = kContinuationMin;
  uint8_t high_ = kContinuationMax;
};

}  // namespace ringpoll::websocket
