// Masking of payloads (RFC 6455, section 5.3): each byte is combined by XOR with one of the four
// bytes of a key, in turn. Doing it again undoes it.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

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

#if defined(__x86_64__)
inline constexpr size_t kWideBytesMin = 512;  // fewer are not worth asking what the processor has

// 128 bytes at a time, for processors with AVX2. Answers how many bytes are done: the rest begins
// with the first byte of the key again.
__attribute__((target("avx2"))) inline size_t maskWide(uint8_t* data, size_t length, MaskKey key) {
  const __m256i keys = _mm256_set1_epi32(static_cast<int>(key));
  size_t at = 0;
  for (; at + 4 * sizeof keys <= length; at += 4 * sizeof keys) {
    auto* const lanes = reinterpret_cast<__m256i*>(data + at);
    const __m256i first = _mm256_xor_si256(_mm256_loadu_si256(lanes), keys);
    const __m256i second = _mm256_xor_si256(_mm256_loadu_si256(lanes + 1), keys);
    const __m256i third = _mm256_xor_si256(_mm256_loadu_si256(lanes + 2), keys);
    const __m256i fourth = _mm256_xor_si256(_mm256_loadu_si256(lanes + 3), keys);
    _mm256_storeu_si256(lanes, first);
    _mm256_storeu_si256(lanes + 1, second);
    _mm256_storeu_si256(lanes + 2, third);
    _mm256_storeu_si256(lanes + 3, fourth);
  }
  return at;
}

inline bool hasWideLanes() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}
#endif

// The same, 32 bytes at a time or more.
inline void mask(uint8_t* data, size_t length, MaskKey key) {
  typedef uint32_t Lanes __attribute__((vector_size(16)));
  const Lanes keys = {key, key, key, key};
  size_t at = 0;
#if defined(__x86_64__)
  if (length >= kWideBytesMin && hasWideLanes()) at = maskWide(data, length, key);
#endif
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
