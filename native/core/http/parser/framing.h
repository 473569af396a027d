// What the headers of a complete head mean for the connection: who is addressed, how long the body
// is, whether the connection lives on (RFC 9112 sections 3.2, 6 and 9). Reads the table of headers
// in a record and fills in flags, content length and host index.
#pragma once

#include <cstdint>

#include "errors.h"
#include "options.h"
#include "target.h"

namespace ringpoll::http {

struct FramingResult {
  HttpError error = HttpError::kNone;
  uint32_t offset = 0;  // of what is wrong, from the start of the head
};

// `record` has its method, target, flags (version and form) and table of headers.
FramingResult applyFraming(const uint8_t* head, uint32_t* record, const TargetResult& target,
                           const Options& options);

}  // namespace ringpoll::http
