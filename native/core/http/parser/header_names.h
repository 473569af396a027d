// Header names by number: JavaScript finds `host` or `cookie` without decoding any name, and the
// parser learns in one lookup both which header it is and that its name is a valid token.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "characters.h"

namespace ringpoll::http {

// The numbers are part of the record that JavaScript reads: append, never reorder. Those that
// decide about framing and routing come first.
enum HeaderId : uint32_t {
  kHeaderUnknown,
  kHeaderHost,
  kHeaderConnection,
  kHeaderContentLength,
  kHeaderTransferEncoding,
  kHeaderExpect,
  kHeaderUpgrade,
  kHeaderFramingLast = kHeaderUpgrade,
  kHeaderAccept,
  kHeaderAcceptCharset,
  kHeaderAcceptEncoding,
  kHeaderAcceptLanguage,
  kHeaderAccessControlRequestHeaders,
  kHeaderAccessControlRequestMethod,
  kHeaderAuthorization,
  kHeaderCacheControl,
  kHeaderContentEncoding,
  kHeaderContentType,
  kHeaderCookie,
  kHeaderDate,
  kHeaderForwarded,
  kHeaderFrom,
  kHeaderIfMatch,
  kHeaderIfModifiedSince,
  kHeaderIfNoneMatch,
  kHeaderIfRange,
  kHeaderIfUnmodifiedSince,
  kHeaderKeepAlive,
  kHeaderOrigin,
  kHeaderPragma,
  kHeaderPriority,
  kHeaderProxyAuthorization,
  kHeaderProxyConnection,
  kHeaderRange,
  kHeaderReferer,
  kHeaderSecChUa,
  kHeaderSecChUaMobile,
  kHeaderSecChUaPlatform,
  kHeaderSecFetchDest,
  kHeaderSecFetchMode,
  kHeaderSecFetchSite,
  kHeaderSecFetchUser,
  kHeaderSecWebSocketExtensions,
  kHeaderSecWebSocketKey,
  kHeaderSecWebSocketProtocol,
  kHeaderSecWebSocketVersion,
  kHeaderTraceparent,
  kHeaderTracestate,
  kHeaderTrailer,
  kHeaderUpgradeInsecureRequests,
  kHeaderUserAgent,
  kHeaderXForwardedFor,
  kHeaderXForwardedHost,
  kHeaderXForwardedProto,
  kHeaderXRealIp,
  kHeaderXRequestId,
  kHeaderXRequestedWith,
  kHeaderServer,
  kHeaderSetCookie,
  kHeaderLocation,
  kHeaderEtag,
  kHeaderLastModified,
  kHeaderVary,
  kHeaderCount,
};
static_assert(kHeaderCount <= 64, "one bit each in the record's known words");

inline constexpr std::string_view kHeaderNames[] = {
    "",
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "expect",
    "upgrade",
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-type",
    "cookie",
    "date",
    "forwarded",
    "from",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "origin",
    "pragma",
    "priority",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "traceparent",
    "tracestate",
    "trailer",
    "upgrade-insecure-requests",
    "user-agent",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
    "x-requested-with",
    "server",
    "set-cookie",
    "location",
    "etag",
    "last-modified",
    "vary",
};
static_assert(std::size(kHeaderNames) == kHeaderCount);

// A perfect hash of the length and the last four letters in lower case. The multiplier is searched
// for when this file is compiled, so adding a name cannot break it unnoticed.
inline constexpr uint32_t kHeaderNameBytesMin = 4;
inline constexpr uint32_t kHeaderNameBytesMax = 32;
inline constexpr uint32_t kHeaderSlots = 512;
inline constexpr uint32_t kHeaderSlotShift = 32 - std::countr_zero(kHeaderSlots);

struct HeaderSlot {
  uint8_t id = kHeaderUnknown;
  uint8_t length = 0;
};

struct HeaderHash {
  uint32_t multiplier = 0;
  std::array<HeaderSlot, kHeaderSlots> slots{};
};

constexpr uint32_t headerSlot(uint32_t lastFour, uint32_t length, uint32_t multiplier) {
  return ((lastFour + (length << 11)) * multiplier) >> kHeaderSlotShift;
}

constexpr uint32_t lastFourOf(std::string_view name) {
  uint32_t word = 0;
  for (uint32_t i = 0; i < 4; i++) {
    const uint32_t at = std::endian::native == std::endian::little ? i : 3 - i;
    word |= static_cast<uint32_t>(static_cast<uint8_t>(name[name.size() - 4 + i]) | 0x20)
            << (8 * at);
  }
  return word;
}

consteval HeaderHash makeHeaderHash() {
  for (uint32_t multiplier = 0x9e3779b1;; multiplier += 0x2545f492) {
    HeaderHash hash{multiplier, {}};
    bool perfect = true;
    for (uint32_t id = 1; id < kHeaderCount && perfect; id++) {
      const std::string_view name = kHeaderNames[id];
      const uint32_t length = static_cast<uint32_t>(name.size());
      HeaderSlot& slot = hash.slots[headerSlot(lastFourOf(name), length, multiplier)];
      perfect = slot.id == kHeaderUnknown;
      slot = {static_cast<uint8_t>(id), static_cast<uint8_t>(length)};
    }
    if (perfect) return hash;
  }
}

// The bytes to compare with: a byte of a name matches when setting the bits of `fold` makes it the
// lower-case letter. Only letters fold, so that CR (0x0d) is not taken for '-' (0x2d).
struct HeaderPattern {
  uint8_t lower[kHeaderNameBytesMax];
  uint8_t fold[kHeaderNameBytesMax];
};

consteval std::array<HeaderPattern, kHeaderCount> makeHeaderPatterns() {
  std::array<HeaderPattern, kHeaderCount> patterns{};
  for (uint32_t id = 1; id < kHeaderCount; id++) {
    for (uint32_t i = 0; i < kHeaderNames[id].size(); i++) {
      const char c = kHeaderNames[id][i];
      patterns[id].lower[i] = static_cast<uint8_t>(c);
      patterns[id].fold[i] = c >= 'a' && c <= 'z' ? 0x20 : 0;
    }
  }
  return patterns;
}

inline constexpr HeaderHash kHeaderHash = makeHeaderHash();
inline constexpr std::array<HeaderPattern, kHeaderCount> kHeaderPatterns = makeHeaderPatterns();

template <typename Word>
inline bool sameFolded(const uint8_t* name, const HeaderPattern& pattern, uint32_t at) {
  Word bytes, lower, fold;
  std::memcpy(&bytes, name + at, sizeof(Word));
  std::memcpy(&lower, pattern.lower + at, sizeof(Word));
  std::memcpy(&fold, pattern.fold + at, sizeof(Word));
  return (bytes | fold) == lower;
}

// kHeaderUnknown says nothing about whether the name is a token; any other answer says that it is.
inline uint32_t findHeader(const uint8_t* name, uint32_t length) {
  if (length - kHeaderNameBytesMin > kHeaderNameBytesMax - kHeaderNameBytesMin) {
    return kHeaderUnknown;
  }
  uint32_t lastFour;
  std::memcpy(&lastFour, name + length - 4, 4);
  const HeaderSlot slot =
      kHeaderHash.slots[headerSlot(lastFour | 0x20202020, length, kHeaderHash.multiplier)];
  if (slot.length != length) return kHeaderUnknown;
  const HeaderPattern& pattern = kHeaderPatterns[slot.id];
  // Whole words, the last one overlapping: never a byte outside of the name.
  if (length < 8) {
    const bool same =
        sameFolded<uint32_t>(name, pattern, 0) && sameFolded<uint32_t>(name, pattern, length - 4);
    return same ? slot.id : uint32_t{kHeaderUnknown};
  }
  for (uint32_t at = 0; at + 8 < length; at += 8) {
    if (!sameFolded<uint64_t>(name, pattern, at)) return kHeaderUnknown;
  }
  const bool same = sameFolded<uint64_t>(name, pattern, length - 8);
  return same ? slot.id : uint32_t{kHeaderUnknown};
}

}  // namespace ringpoll::http
