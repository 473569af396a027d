// Every reason for which a client gives a response up. The numbers below kFirst are those of
// HttpError: what may be wrong with fields and chunks is the same on both sides. JavaScript has the
// numbers of the others in lib/client/response_faults.ts; append, never reorder.
#pragma once

#include <cstdint>

#include "errors.h"

namespace ringpoll::http {

enum class ResponseError : uint8_t {
  kStatusLine = 128,      // it is no `HTTP/1.x three digits reason`
  kInformationalTooMany,  // more 1xx responses than the limit before the final one
  kUnsolicited,           // bytes that no request has asked for
  kUpgradeUnasked,        // 101, and the request has asked for no upgrade
  kTruncated,             // the connection has ended within a response
  kNoResponse,            // it has ended before the first byte of one
  kStale,                 // it had ended, or bytes had come, before the request was sent
  kHeadTimeout,
  kBodyTimeout,
  kWriteTimeout,
  kNoMemory,
};
inline constexpr uint8_t kResponseErrorFirst = 128;
static_assert(static_cast<uint8_t>(HttpError::kCount) <= kResponseErrorFirst);

// As the parsers that requests and responses share give it back.
constexpr HttpError asHttpError(ResponseError error) {
  return static_cast<HttpError>(static_cast<uint8_t>(error));
}

}  // namespace ringpoll::http
