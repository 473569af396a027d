// What the HTTP parser is allowed to take: limits with their units, and the leniencies that a
// caller may switch on one by one. One Options object serves any number of parsers.
#pragma once

#include <cstdint>

namespace ringpoll::http {

// Defaults. Each one is a field of Limits.
inline constexpr uint32_t kHeadBytesMax = 16 * 1024;           // request line + header section
inline constexpr uint32_t kTargetBytesMax = 15 * 1024;         // request target
inline constexpr uint32_t kHeadersMax = 100;                   // header lines
inline constexpr uint64_t kBodyBytesMax = 128 * 1024 * 1024;   // body, without chunk framing
inline constexpr uint32_t kTrailerBytesMax = 8 * 1024;         // trailer section
inline constexpr uint32_t kTrailersMax = 32;                   // trailer lines
inline constexpr uint32_t kChunkExtensionBytesMax = 4 * 1024;  // all chunks of one message

// Fixed sizes.
inline constexpr uint32_t kMethodBytesMax = 32;       // longest method that is looked at
inline constexpr uint32_t kLeadingEmptyLinesMax = 4;  // CRLFs skipped before a request line
inline constexpr uint32_t kChunkSizeDigitsMax = 16;   // hexadecimal digits, leading zeros included
inline constexpr uint32_t kRegionBytesMax = 64 * 1024 - 1;  // a name's length shares its word

struct Limits {
  uint32_t headBytesMax = kHeadBytesMax;
  uint32_t targetBytesMax = kTargetBytesMax;
  uint32_t headersMax = kHeadersMax;
  uint64_t bodyBytesMax = kBodyBytesMax;
  uint32_t trailerBytesMax = kTrailerBytesMax;
  uint32_t trailersMax = kTrailersMax;
  uint32_t chunkExtensionBytesMax = kChunkExtensionBytesMax;

  // headBytesMax and trailerBytesMax above kRegionBytesMax cannot be recorded.
  constexpr bool valid() const {
    return headBytesMax <= kRegionBytesMax && trailerBytesMax <= kRegionBytesMax;
  }
};

static_assert(Limits{}.valid());
static_assert(kTargetBytesMax < kHeadBytesMax, "a long target is 414, not 431");
static_assert(kMethodBytesMax < kTargetBytesMax);
static_assert(kChunkSizeDigitsMax == 2 * sizeof(uint64_t), "a chunk size fits 64 bits");

// Each bit gives up one check, and with it the agreement with stricter parsers before or behind
// this one: every one of them is a known way to smuggle requests.
enum Lenient : uint32_t {
  kLenientNone = 0,
  kLenientBareLineFeed = 1 << 0,      // LF alone ends a line
  kLenientHost = 1 << 1,              // a missing or malformed Host, or one unlike the target
  kLenientTarget = 1 << 2,            // '#', bytes over 0x7f and userinfo in the target
  kLenientValue = 1 << 3,             // control characters in values (never NUL, CR or LF)
  kLenientLengthAndChunked = 1 << 4,  // both: chunked wins, the connection closes
  kLenientTransferCodings = 1 << 5,   // codings before a last `chunked` are left undecoded
  kLenientChunkSpace = 1 << 6,        // spaces and tabs after a chunk size
  kLenientAll = (1 << 7) - 1,
  // These are none of them: what programs for node:http may expect.
  kLenientFragment = 1 << 7,     // '#' in the target
  kLenientExpectation = 1 << 8,  // Expect may say anything: JavaScript answers 417
  kLenientHosts = 1 << 9,        // several Host headers: the first one counts
  kLenientExtensions = 1 << 10,  // the limit of chunk extensions is that of each chunk
  kLenientConnect = 1 << 11,     // CONNECT of a target that is no host with a port
};

struct Options {
  Limits limits;
  uint32_t lenient = kLenientNone;  // set of Lenient
  bool unknownMethods = false;      // hand unknown methods over instead of answering 501
  bool lengthRequired = false;      // 411 for POST, PUT and PATCH without a length
};

}  // namespace ringpoll::http
