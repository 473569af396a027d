// Masking of payloads (RFC 6455, section 5.3): each byte is combined by XOR with one of the four
// bytes of a key, in turn. Doing it again undoes it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ringpoll::websocket {

// The key's four bytes as they lie in memory, beginning with the one for the next byte.
using MaskKey = uint32_t;

// The key for what follows `bytes` more bytes.
inline MaskKey keyAfter(MaskKey key, size_t bytes) {
  const int bits = static_cast<int>(bytes & 3) * 8;
  return std::endian::native == std::endian::little ? std::rotr(key, bits) : std::rotl(key, bits);
}

inline void maskScalar(uint8_t* data, size_t length, MaskKey key) {
  uint8_t bytes[sizeof key];
  std::memcpy(bytes, &key, sizeof key);
  for (size_t i = 0; i < length; ++i) data[i] ^= bytes[i & 3];
}

// The same, 32 bytes at a time.
inline void mask(uint8_t* data, size_t length, MaskKey key) {
  typedef uint32_t Lanes __attribute__((vector_size(16)));
  const Lanes keys = {key, key, key, key};
  size_t at = 0;
  for (; at + 2 * sizeof(Lanes) <= length; at += 2 * sizeof(Lanes)) {
    Lanes low;
    Lanes high;
    std::memcpy(&low, data + at, sizeof low);
    std::memcpy(&high, data + at + sizeof low, sizeof high);
    low ^= keys;
    high ^= keys;
    std::memcpy(data + at, &low, sizeof low);
    std::memcpy(data + at + sizeof low, &high, sizeof high);
  }
  for (; at + sizeof(uint64_t) <= length; at += sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, data + at, sizeof word);
    word ^= static_cast<uint64_t>(key) << 32 | key;
    std::memcpy(data + at, &word, sizeof word);
  }
  maskScalar(data + at, length - at, key);
}

}  // namespace ringpoll::websocket
