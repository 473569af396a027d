// Frames as RFC 6455, section 5.2, has them: numbers, and how a header is written.
//
//   FIN RSV1 RSV2 RSV3 opcode(4) | MASK length(7) | longer length: 0, 2 or 8 bytes | key: 0 or 4
#pragma once

#include <cstdint>
#include <cstring>

#include "mask.h"

namespace ringpoll::websocket {

enum class Opcode : uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};

inline constexpr uint8_t kFin = 0x80;
inline constexpr uint8_t kRsv1 = 0x40;  // of a message's first frame: it is compressed (RFC 7692)
inline constexpr uint8_t kRsv2And3 = 0x30;
inline constexpr uint8_t kOpcodeBits = 0x0f;
inline constexpr uint8_t kControlBit = 0x08;
inline constexpr uint8_t kMasked = 0x80;
inline constexpr uint8_t kLengthBits = 0x7f;
inline constexpr uint8_t kLengthOf16Bits = 126;
inline constexpr uint8_t kLengthOf64Bits = 127;

inline constexpr uint32_t kKeyBytes = 4;
inline constexpr uint32_t kHeaderBytesMax = 14;
inline constexpr uint32_t kControlBytesMax = 125;  // payload of a close, ping or pong

// A server's frames are not masked, a client's are.
enum class Role : uint8_t { kServer, kClient };

constexpr uint32_t headerBytes(uint64_t payload, Role from) {
  const uint32_t key = from == Role::kClient ? kKeyBytes : 0;
  if (payload < kLengthOf16Bits) return 2 + key;
  return (payload <= UINT16_MAX ? 4 : 10) + key;
}

// Writes the header of a frame that is a whole message. Masked frames get `key`; the payload is the
// caller's. Answers its length.
inline uint32_t writeHeader(uint8_t* at, Opcode opcode, bool compressed, uint64_t payload,
                            Role from, MaskKey key) {
  at[0] = static_cast<uint8_t>(kFin | (compressed ? kRsv1 : 0) | static_cast<uint8_t>(opcode));
  uint32_t used = 2;
  if (payload < kLengthOf16Bits) {
    at[1] = static_cast<uint8_t>(payload);
  } else {
    const bool isLong = payload > UINT16_MAX;
    at[1] = isLong ? kLengthOf64Bits : kLengthOf16Bits;
    for (int shift = isLong ? 56 : 8; shift >= 0; shift -= 8) {
      at[used++] = static_cast<uint8_t>(payload >> shift);
    }
  }
  if (from == Role::kClient) {
    at[1] |= kMasked;
    std::memcpy(at + used, &key, kKeyBytes);
    used += kKeyBytes;
  }
  return used;
}

}  // namespace ringpoll::websocket
