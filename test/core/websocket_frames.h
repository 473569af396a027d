// Frames as a peer writes them.
#pragma once

#include <cstdint>
#include <string>

namespace test {

inline std::string frameOf(int opcode, std::string payload, bool fin = true, bool masked = true,
                           uint32_t key = 0x37fa213d) {
  std::string frame;
  frame += static_cast<char>((fin ? 0x80 : 0) | opcode);
  const char maskBit = static_cast<char>(masked ? 0x80 : 0);
  const size_t length = payload.size();
  if (length < 126) {
    frame += static_cast<char>(maskBit | static_cast<char>(length));
  } else {
    const bool isLong = length > 0xffff;
    frame += static_cast<char>(maskBit | (isLong ? 127 : 126));
    for (int shift = isLong ? 56 : 8; shift >= 0; shift -= 8) {
      frame += static_cast<char>(static_cast<uint64_t>(length) >> shift);
    }
  }
  if (!masked) return frame + payload;
  char bytes[4];
  for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>(key >> (24 - 8 * i));
  frame.append(bytes, 4);
  for (size_t i = 0; i < length; ++i) payload[i] = static_cast<char>(payload[i] ^ bytes[i % 4]);
  return frame + payload;
}

inline std::string closeFrame(int code, const std::string& reason = "", bool masked = true) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code)};
  return frameOf(8, payload + reason, true, masked);
}

}  // namespace test
