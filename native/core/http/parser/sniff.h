// Tells from the first bytes of a connection which protocol it speaks, so that one port can serve
// several. Looks at the bytes only; nothing is consumed.
#pragma once

#include <cstdint>

namespace ringpoll::http {

enum class Sniffed : uint8_t {
  kNeedMore,  // the bytes so far begin more than one protocol: ask again with more
  kHttp1,     // begins like a method; whether it is a request, HeadParser decides
  kHttp2,     // the connection preface of RFC 9113 section 3.4
  kTls,       // a ClientHello
  kProxyV1,   // PROXY protocol, text
  kProxyV2,   // PROXY protocol, binary
  kUnknown,
};

// Bytes after which the answer is never kNeedMore.
inline constexpr uint32_t kSniffBytesMax = 24;

inline constexpr uint8_t kTlsHandshakeRecord = 22;  // RFC 8446 section 5.1: the first byte

// `data` holds everything received on the connection so far.
Sniffed sniff(const uint8_t* data, uint32_t length);

}  // namespace ringpoll::http
