// The header that a load balancer puts before the first byte of a connection to say who the client
// is: PROXY protocol version 1 (one line of text) and 2 (binary). Strict: a header that is off by
// a byte is an error, because whoever believes it grants rights by address.
//
// Only accept it from peers that are known to be proxies, and then demand it: anybody can write it.
#pragma once

#include <cstdint>

#include "errors.h"
#include "field_section.h"

namespace ringpoll::http {

inline constexpr uint32_t kProxyV1BytesMax = 107;       // CRLF included
inline constexpr uint32_t kProxyV2BytesMax = 4 * 1024;  // fixed part, addresses and TLVs

enum class ProxyFamily : uint8_t { kNone, kInet, kInet6, kUnix };

struct ProxyHeader {
  uint8_t version = 0;                      // 1 or 2
  bool local = false;                       // the proxy speaks for itself (a health check)
  ProxyFamily family = ProxyFamily::kNone;  // kNone: keep the addresses of the socket
  bool datagram = false;
  uint8_t source[16] = {};  // network order; the first 4 bytes with kInet
  uint8_t destination[16] = {};
  uint16_t sourcePort = 0;
  uint16_t destinationPort = 0;
  uint32_t sourcePathOffset = 0;  // kUnix: 108 bytes in the region, NUL-padded
  uint32_t destinationPathOffset = 0;
  uint32_t tlvOffset = 0;  // version 2: type, 16-bit length, value, repeated
  uint32_t tlvLength = 0;

  // Otherwise the addresses of the socket count.
  bool hasAddresses() const {
    return !local && (family == ProxyFamily::kInet || family == ProxyFamily::kInet6);
  }
};

struct ProxyResult {
  Step step = Step::kNeedMore;
  HttpError error = HttpError::kNone;
  uint32_t offset = 0;  // kDone: bytes of the header; kError: where it is wrong
};

// `data` holds everything received so far. Ask again with more after kNeedMore: the header is
// small, so it is looked at from its start each time.
ProxyResult parseProxyHeader(const uint8_t* data, uint32_t length, ProxyHeader* header);

}  // namespace ringpoll::http
