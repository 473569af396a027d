// Fuzzes what comes before HTTP: telling the protocol from the first bytes, and PROXY headers.
// An answer that is not "need more" must stay the same with more bytes behind it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "core/http/parser/proxy.h"
#include "core/http/parser/sniff.h"

namespace {

using namespace ringpoll::http;

constexpr size_t kPrefixesMax = 300;

void demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

// A function of a region that is told apart from all the others by its answer alone.
template <typename Answer, typename Ask>
void stays(const uint8_t* data, size_t size, Answer needMore, Ask ask, const char* what) {
  Answer settled = needMore;
  for (size_t length = 0; length <= size && length < kPrefixesMax; length++) {
    // An exact copy, for the sanitizers.
    const std::vector<uint8_t> region(data, data + length);
    const Answer answer = ask(region.data(), static_cast<uint32_t>(length));
    demand(settled == needMore || answer == settled, what);
    settled = answer;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  stays(data, size, Sniffed::kNeedMore, sniff, "a protocol, once told, stays");
  const std::vector<uint8_t> first(data, data + std::min<size_t>(size, kSniffBytesMax));
  if (first.size() == kSniffBytesMax) {
    demand(sniff(first.data(), kSniffBytesMax) != Sniffed::kNeedMore, "enough to tell");
  }
  const auto stepOf = [](const uint8_t* region, uint32_t length) {
    ProxyHeader header;
    const ProxyResult result = parseProxyHeader(region, length, &header);
    demand(result.offset <= std::max(length, kProxyV1BytesMax), "an offset within the input");
    if (result.step == Step::kDone) {
      demand(header.tlvOffset + header.tlvLength <= result.offset, "TLVs within the header");
    }
    return result.step;
  };
  stays(data, size, Step::kNeedMore, stepOf, "a PROXY header, once judged, stays so");
  return 0;
}
