// The three searches in which a head parser spends its time: 16 bytes at a time where the
// processor has vectors, and a scalar twin that must find the same byte.
//
// Each search looks at [at, end) and returns the first byte that it stops at, or `end`. `begin` is
// where the readable region starts: the last few bytes are covered by a load that reaches back, so
// nothing is ever read outside of [begin, end).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "characters.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace ringpoll::http {

struct ScalarScan {
  // Stops at a byte that a request target may not have.
  static const uint8_t* targetEnd(const uint8_t*, const uint8_t* at, const uint8_t* end) {
    while (at < end && is(*at, kTargetText)) at++;
    return at;
  }

  // Stops at ':', a space, a control character or a byte over 0x7e.
  static const uint8_t* nameEnd(const uint8_t*, const uint8_t* at, const uint8_t* end) {
    while (at < end && *at != ':' && *at > 0x20 && *at < 0x7f) at++;
    return at;
  }

  // Stops at a control character other than tab.
  static const uint8_t* valueEnd(const uint8_t*, const uint8_t* at, const uint8_t* end) {
    while (at < end && is(*at, kValueText)) at++;
    return at;
  }

  static const uint8_t* find(const uint8_t*, const uint8_t* at, const uint8_t* end, uint8_t byte) {
    while (at < end && *at != byte) at++;
    return at;
  }
};

#if defined(__SSE2__)

// 16 bytes, and the answers of comparisons on them: one bit per byte.
struct Block {
  static constexpr uint32_t kBitsPerByte = 1;
  using Mask = uint32_t;
  __m128i bytes;

  static Block load(const uint8_t* at) {
    return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))};
  }
  static Block all(uint8_t byte) { return {_mm_set1_epi8(static_cast<char>(byte))}; }
  Block operator|(Block other) const { return {_mm_or_si128(bytes, other.bytes)}; }
  Block without(Block other) const { return {_mm_andnot_si128(other.bytes, bytes)}; }
  Block equals(uint8_t byte) const { return {_mm_cmpeq_epi8(bytes, all(byte).bytes)}; }
  Block atMost(uint8_t byte) const {
    return {_mm_cmpeq_epi8(_mm_min_epu8(bytes, all(byte).bytes), bytes)};
  }
  // Signed comparison makes everything over 0x7f negative: one instruction finds both ends.
  Block atMostOrNegative(uint8_t byte) const {
    return {_mm_cmplt_epi8(bytes, all(byte + 1).bytes)};
  }
  Mask mask() const { return static_cast<Mask>(_mm_movemask_epi8(bytes)); }
};
#define RINGPOLL_HTTP_VECTORS 1

#elif defined(__ARM_NEON) && defined(__aarch64__)

// 16 bytes, and the answers of comparisons on them: four bits per byte.
struct Block {
  static constexpr uint32_t kBitsPerByte = 4;
  using Mask = uint64_t;
  uint8x16_t bytes;

  static Block load(const uint8_t* at) { return {vld1q_u8(at)}; }
  Block operator|(Block other) const { return {vorrq_u8(bytes, other.bytes)}; }
  Block without(Block other) const { return {vbicq_u8(bytes, other.bytes)}; }
  Block equals(uint8_t byte) const { return {vceqq_u8(bytes, vdupq_n_u8(byte))}; }
  Block atMost(uint8_t byte) const { return {vcleq_u8(bytes, vdupq_n_u8(byte))}; }
  Block atMostOrNegative(uint8_t byte) const {
    return {vcleq_s8(vreinterpretq_s8_u8(bytes), vdupq_n_s8(static_cast<int8_t>(byte)))};
  }
  Mask mask() const {
    const uint8x8_t narrowed = vshrn_n_u16(vreinterpretq_u16_u8(bytes), 4);
    return vget_lane_u64(vreinterpret_u64_u8(narrowed), 0);
  }
};
#define RINGPOLL_HTTP_VECTORS 1

#else
#define RINGPOLL_HTTP_VECTORS 0
#endif

#if RINGPOLL_HTTP_VECTORS

struct VectorScan {
  static constexpr ptrdiff_t kBlockBytes = 16;

  static const uint8_t* targetEnd(const uint8_t* begin, const uint8_t* at, const uint8_t* end) {
    return search(begin, at, end, ScalarScan::targetEnd, [](Block block) {
      return block.atMostOrNegative(0x20) | block.equals(0x7f) | block.equals('#');
    });
  }

  static const uint8_t* nameEnd(const uint8_t* begin, const uint8_t* at, const uint8_t* end) {
    return search(begin, at, end, ScalarScan::nameEnd, [](Block block) {
      return block.atMostOrNegative(0x20) | block.equals(0x7f) | block.equals(':');
    });
  }

  static const uint8_t* valueEnd(const uint8_t* begin, const uint8_t* at, const uint8_t* end) {
    return search(begin, at, end, ScalarScan::valueEnd, [](Block block) {
      return block.atMost(0x1f).without(block.equals('\t')) | block.equals(0x7f);
    });
  }

  static const uint8_t* find(const uint8_t* begin, const uint8_t* at, const uint8_t* end,
                             uint8_t byte) {
    return search(
        begin, at, end,
        [byte](const uint8_t* from, const uint8_t* position, const uint8_t* to) {
          return ScalarScan::find(from, position, to, byte);
        },
        [byte](Block block) { return block.equals(byte); });
  }

 private:
  template <typename Scalar, typename Stops>
  static inline const uint8_t* search(const uint8_t* begin, const uint8_t* at, const uint8_t* end,
                                      Scalar scalar, Stops stops) {
    for (; end - at >= kBlockBytes; at += kBlockBytes) {
      const Block::Mask mask = stops(Block::load(at)).mask();
      if (mask != 0) return at + std::countr_zero(mask) / Block::kBitsPerByte;
    }
    if (at == end) return end;
    if (end - begin < kBlockBytes) return scalar(begin, at, end);
    // The last 16 bytes; those before `at` have been seen and are shifted out.
    const uint32_t seen = static_cast<uint32_t>(kBlockBytes - (end - at));
    const Block::Mask mask =
        stops(Block::load(end - kBlockBytes)).mask() >> (seen * Block::kBitsPerByte);
    return mask == 0 ? end : at + std::countr_zero(mask) / Block::kBitsPerByte;
  }
};

using FastScan = VectorScan;
#else
using FastScan = ScalarScan;
#endif

}  // namespace ringpoll::http
