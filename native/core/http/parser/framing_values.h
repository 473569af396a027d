// Values of the fields that frame a message, read the same way for requests and responses.
#pragma once

#include <cstdint>

#include "characters.h"

namespace ringpoll::http {

// 1*DIGIT, at most 2^64 - 1.
inline bool parseContentLength(const uint8_t* at, uint32_t length, uint64_t* result) {
  if (length == 0) return false;
  uint64_t value = 0;
  for (const uint8_t* end = at + length; at < end; at++) {
    if (!is(*at, kDigit)) return false;
    const uint32_t digit = *at - '0';
    if (value > (UINT64_MAX - digit) / 10) return false;
    value = value * 10 + digit;
  }
  *result = value;
  return true;
}

// Calls visit(token, length) for each member of a comma-separated list, empty ones included.
template <typename Visit>
void forEachMember(const uint8_t* at, const uint8_t* end, Visit visit) {
  for (;;) {
    while (at < end && isSpaceOrTab(*at)) at++;
    const uint8_t* comma = at;
    while (comma < end && *comma != ',') comma++;
    const uint8_t* last = comma;
    while (last > at && isSpaceOrTab(last[-1])) last--;
    visit(at, static_cast<uint32_t>(last - at));
    if (comma == end) return;
    at = comma + 1;
  }
}

}  // namespace ringpoll::http
