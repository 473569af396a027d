// What a call on a connection of TLS comes to, and why one fails.
#pragma once

#include <cstdint>
#include <string>

namespace ringpoll::tls {

inline constexpr uint32_t kRecordBytesMax = 16 * 1024;  // of plain bytes in a record
// RFC 8446, section 5.2: encrypted ones have so much more, for padding, type and tag.
inline constexpr uint32_t kRecordExpansionMax = 256;
// Room that takes any record, whatever opens it.
inline constexpr uint32_t kRecordRoomBytes = kRecordBytesMax + kRecordExpansionMax;

inline constexpr uint8_t kNoAlert = 255;

enum class Progress : uint8_t {
  kNeedsBytes,
  kWaits,  // for what the hooks were asked
  kDone,
  kEnded,  // the peer's close_notify
  kFailed,
};

// Why a connection has failed.
struct Failure {
  std::string reason;  // OpenSSL's words, without any data
  long verifyResult = 0;
  uint8_t alert = kNoAlert;  // that ended it
  bool alertIsPeers = false;
};

}  // namespace ringpoll::tls
