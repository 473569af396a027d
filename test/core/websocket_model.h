// What frames mean, written a second time and without haste: the whole input at once, one byte
// after the other. Tests and the fuzzer compare the parser with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/websocket/frame_parser.h"

namespace test {

// What came: 'T' or 'B' for a message (in lower case: a compressed one), 'P', 'O' and 'C' for ping,
// pong and close, '!' for a violation.
struct WsNote {
  char kind = 0;
  std::string bytes;
  uint16_t code = 0;
  bool operator==(const WsNote&) const = default;
};

inline std::string show(const std::vector<WsNote>& notes) {
  std::string all;
  for (const WsNote& note : notes) {
    all += note.kind;
    all += note.kind == '!' ? std::to_string(note.code) : "(" + note.bytes + ")";
  }
  return all;
}

class WsModel {
 public:
  explicit WsModel(ringpoll::websocket::FrameLimits limits) : limits_(limits) {}

  std::vector<WsNote> read(const std::string& input) {
    std::vector<WsNote> notes;
    size_t at = 0;
    char message = 0;
    std::string gathered;
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(input[i]); };
    const auto violates = [&](uint16_t code) { notes.push_back({'!', "", code}); };
    while (at + 2 <= input.size()) {
      const bool fin = byte(at) >> 7 != 0;
      const unsigned reserved = byte(at) >> 4 & 7;
      const unsigned opcode = byte(at) & 15;
      const bool masked = byte(at + 1) >> 7 != 0;
      uint64_t length = byte(at + 1) & 127;
      const bool control = opcode >= 8;
      if (opcode > 10 || (opcode > 2 && opcode < 8)) return violates(1002), notes;
      if ((reserved & 3) != 0) return violates(1002), notes;
      const bool startsMessage = opcode == 1 || opcode == 2;
      if ((reserved & 4) != 0 && !(startsMessage && limits_.compression)) {
        return violates(1002), notes;
      }
      if (masked != (limits_.role == ringpoll::websocket::Role::kServer)) {
        return violates(1002), notes;
      }
      if (control && (!fin || length > 125)) return violates(1002), notes;
      if (opcode == 0 && message == 0) return violates(1002), notes;
      if (startsMessage && message != 0) return violates(1002), notes;
      size_t header = 2;
      const size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
      if (at + header + extra + (masked ? 4 : 0) > input.size()) break;
      if (extra > 0) {
        length = 0;
        for (size_t i = 0; i < extra; ++i) length = length * 256 + byte(at + header + i);
        if (extra == 2 && length < 126) return violates(1002), notes;
        if (extra == 8 && (length < 65536 || length >= 1ull << 63)) return violates(1002), notes;
      }
      header += extra;
      uint8_t key[4] = {};
      for (size_t i = 0; masked && i < 4; ++i) key[i] = byte(at + header + i);
      header += masked ? 4 : 0;
      if (startsMessage) {
        const bool compressed = (reserved & 4) != 0;
        message = opcode == 1 ? (compressed ? 't' : 'T') : (compressed ? 'b' : 'B');
        gathered.clear();
      }
      const bool lower = message >= 'a';
      const uint64_t most = lower ? limits_.compressedBytesMax : limits_.messageBytesMax;
      if (!control && (length > most || gathered.size() + length > most)) {
        return violates(1009), notes;
      }
      if (input.size() - at - header < length) break;
      std::string payload = input.substr(at + header, length);
      for (size_t i = 0; i < payload.size(); ++i) {
        payload[i] = static_cast<char>(static_cast<uint8_t>(payload[i]) ^ key[i % 4]);
      }
      at += header + length;
      if (control) {
        notes.push_back({opcode == 8 ? 'C' : opcode == 9 ? 'P' : 'O', payload, 0});
        continue;
      }
      gathered += payload;
      if (!fin) continue;
      notes.push_back({message, gathered, 0});
      message = 0;
    }
    return notes;
  }

 private:
  ringpoll::websocket::FrameLimits limits_;
};

// The parser's notes of the same input, cut into pieces by `pieceBytes`, which is asked for the
// length of each. Every piece is an allocation of its own, for the sanitizers.
template <typename PieceBytes>
std::vector<WsNote> parseInPieces(const std::string& input,
                                  const ringpoll::websocket::FrameLimits& limits,
                                  PieceBytes pieceBytes) {
  using namespace ringpoll::websocket;
  FrameParser parser;
  std::vector<WsNote> notes;
  std::string gathered;
  size_t at = 0;
  while (at < input.size()) {
    const size_t most = std::max<size_t>(1, pieceBytes(input.size() - at));
    std::string piece = input.substr(at, most);
    at += piece.size();
    auto* data = reinterpret_cast<uint8_t*>(piece.data());
    auto left = static_cast<uint32_t>(piece.size());
    while (true) {
      const FrameStep step = parser.next(data, left, limits);
      if (step.kind == FrameKind::kError) {
        notes.push_back({'!', "", step.error});
        return notes;
      }
      if (step.kind == FrameKind::kControl) {
        const char kind = step.opcode == Opcode::kClose  ? 'C'
                          : step.opcode == Opcode::kPing ? 'P'
                                                         : 'O';
        notes.push_back(
            {kind, std::string(reinterpret_cast<const char*>(step.control), step.length), 0});
      }
      if (step.kind == FrameKind::kData) {
        if (step.first) gathered.clear();
        gathered.append(reinterpret_cast<const char*>(data) + step.offset, step.length);
        if (step.last) {
          const char kind = step.opcode == Opcode::kText ? 'T' : 'B';
          notes.push_back(
              {static_cast<char>(step.compressed ? kind + ('a' - 'A') : kind), gathered, 0});
        }
      }
      data += step.consumed;
      left -= step.consumed;
      if (step.kind == FrameKind::kNeedMore) break;
    }
  }
  return notes;
}

}  // namespace test
