// Close codes (RFC 6455, section 7.4, and IANA's registry), and the payload of a close frame.
#pragma once

#include <cstdint>

#include "utf8.h"

namespace ringpoll::websocket {

enum CloseCode : uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kNoCode = 1005,    // never sent: the close frame had no code
  kAbnormal = 1006,  // never sent: there was no close frame
  kInvalidText = 1007,
  kTooBig = 1009,
  kInternalError = 1011,
};

// Whether an endpoint may send it.
constexpr bool mayBeSent(uint32_t code) {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code != 1004 && code != kNoCode && code != kAbnormal;
}

struct ClosePayload {
  uint16_t code = kNoCode;
  uint16_t violation = 0;  // the code to answer with, when it breaks the protocol
  uint32_t reasonOffset = 0;
};

inline ClosePayload readClosePayload(const uint8_t* payload, uint32_t length) {
  ClosePayload close;
  if (length == 0) return close;
  if (length == 1) {
    close.violation = kProtocolError;
    return close;
  }
  close.code = static_cast<uint16_t>(payload[0] << 8 | payload[1]);
  close.reasonOffset = 2;
  Utf8Check reason;
  if (!mayBeSent(close.code)) {
    close.violation = kProtocolError;
  } else if (!reason.feed(payload + 2, length - 2) || !reason.complete()) {
    close.violation = kInvalidText;
  }
  return close;
}

}  // namespace ringpoll::websocket
