// Buckets of a histogram: exact below 128, and from there on 64 for each doubling, so that the
// middle of a bucket is within 1/128 of all that lies in it. lib/histogram.ts has the same.
//
//   value     0 ... 127   128 ... 255   256 ... 511   ...   2^40 ... 2^41 - 1, and all above
//   buckets   0 ... 127   128 ... 191   192 ... 255   ...   2240 ... 2303
#pragma once

#include <bit>
#include <cstdint>

namespace ringpoll {

inline constexpr uint32_t kBucketBits = 6;
inline constexpr uint32_t kBucketShiftMax = 34;
inline constexpr uint32_t kLogBuckets = (kBucketShiftMax + 2) << kBucketBits;

constexpr uint32_t bucketOf(uint64_t value) {
  if (value >> (kBucketBits + 1) == 0) return static_cast<uint32_t>(value);
  const uint32_t shift = 63 - static_cast<uint32_t>(std::countl_zero(value)) - kBucketBits;
  if (shift > kBucketShiftMax) return kLogBuckets - 1;
  return (shift << kBucketBits) + static_cast<uint32_t>(value >> shift);
}

static_assert(bucketOf(127) == 127 && bucketOf(128) == 128 && bucketOf(129) == 128);
static_assert(bucketOf(255) == 191 && bucketOf(256) == 192);
static_assert(bucketOf((uint64_t{1} << 41) - 1) == kLogBuckets - 1);
static_assert(bucketOf(uint64_t{1} << 41) == kLogBuckets - 1);
static_assert(bucketOf(UINT64_MAX) == kLogBuckets - 1);

}  // namespace ringpoll
