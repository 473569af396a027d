// The request target (RFC 9112 section 3.2): which of its four forms it has, whether that form
// belongs to the method, and whether host and port in it and in Host are well-formed.
#pragma once

#include <cstdint>

#include "errors.h"
#include "methods.h"

namespace ringpoll::http {

inline constexpr uint32_t kNoPort = UINT32_MAX;

struct TargetResult {
  HttpError error = HttpError::kNone;
  uint32_t form = 0;             // one of kFlagTarget*
  uint32_t authorityOffset = 0;  // from the start of the target; absolute and authority form
  uint32_t authorityLength = 0;
  uint32_t defaultPort = kNoPort;  // of the scheme; CONNECT has none
};

// `target` has been searched for characters already; it is not empty.
TargetResult classifyTarget(const uint8_t* target, uint32_t length, Method method,
                            uint32_t lenient);

// host [ ":" port ] of RFC 3986 section 3.2; an empty value is well-formed.
bool isAuthority(const uint8_t* value, uint32_t length);

// Whether two of these name the same host and port (RFC 9110 section 4.2.3): in any case, and one
// without a port, or with an empty one, has the default.
bool sameAuthority(const uint8_t* a, uint32_t aLength, const uint8_t* b, uint32_t bLength,
                   uint32_t defaultPort);

}  // namespace ringpoll::http
