// The vector searches find the byte that their scalar twins find, wherever the region lies.
#include <random>
#include <vector>

#include "check.h"
#include "core/http/parser/scan.h"

namespace {

using ringpoll::http::FastScan;
using ringpoll::http::ScalarScan;

constexpr int kRegions = 20000;
constexpr size_t kRegionBytesMax = 80;

// Mostly letters, so that the searches get somewhere; all the other bytes now and then.
uint8_t randomByte(std::mt19937& random) {
  return random() % 24 == 0 ? static_cast<uint8_t>(random())
                            : static_cast<uint8_t>('a' + random() % 26);
}

template <typename Search, typename Twin>
void agree(uint32_t seed, Search search, Twin twin) {
  std::mt19937 random(seed);
  for (int i = 0; i < kRegions; i++) {
    // Exactly as large as the region, so that a sanitizer sees a read outside of it.
    std::vector<uint8_t> region(random() % kRegionBytesMax);
    for (uint8_t& byte : region) byte = randomByte(random);
    const uint8_t* const begin = region.data();
    const uint8_t* const end = begin + region.size();
    const uint8_t* const at = begin + (region.empty() ? 0 : random() % region.size());
    CHECK_EQ(search(begin, at, end) - begin, twin(begin, at, end) - begin);
  }
}

TEST(http_scan_target_end_agrees_with_its_scalar_twin) {
  agree(1, FastScan::targetEnd, ScalarScan::targetEnd);
}

TEST(http_scan_name_end_agrees_with_its_scalar_twin) {
  agree(2, FastScan::nameEnd, ScalarScan::nameEnd);
}

TEST(http_scan_value_end_agrees_with_its_scalar_twin) {
  agree(3, FastScan::valueEnd, ScalarScan::valueEnd);
}

TEST(http_scan_find_agrees_with_its_scalar_twin) {
  const auto with = [](auto find) {
    return [find](const uint8_t* begin, const uint8_t* at, const uint8_t* end) {
      return find(begin, at, end, uint8_t{'q'});
    };
  };
  agree(4, with(FastScan::find), with(ScalarScan::find));
}

// Random text would rarely hold some bytes: each one, at each place of a block.
template <typename Search, typename Twin>
void agreeOnEveryByte(Search search, Twin twin) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    for (uint32_t place = 0; place < 20; place++) {
      std::vector<uint8_t> region(20, 'a');
      region[place] = static_cast<uint8_t>(byte);
      const uint8_t* const begin = region.data();
      CHECK_EQ(search(begin, begin, begin + 20) - begin, twin(begin, begin, begin + 20) - begin);
    }
  }
}

TEST(http_scan_every_byte_is_classified_alike) {
  agreeOnEveryByte(FastScan::targetEnd, ScalarScan::targetEnd);
  agreeOnEveryByte(FastScan::nameEnd, ScalarScan::nameEnd);
  agreeOnEveryByte(FastScan::valueEnd, ScalarScan::valueEnd);
}

}  // namespace
