// The parser of frames. It can stop at any byte and go on with the next one. Payloads are unmasked
// where they lie, and never copied, but for control frames that are split over several reads.
//
//   kHeader --its last byte--> kData --last byte--> kHeader
//      |                       kControl --last byte--> kHeader
//      +--violation--> kBroken
//
// It knows frames and which may follow which. What a message is made of, texts and close payloads,
// is its caller's.
#pragma once

#include <cstdint>
#include <memory>

#include "close_code.h"
#include "frame.h"

namespace ringpoll::websocket {

struct FrameLimits {
  Role role = Role::kServer;     // ours: a server's peer masks, a client's does not
  bool compression = false;      // RSV1 may be set
  uint64_t messageBytesMax = 0;  // of all payloads of a message that is not compressed
  uint64_t compressedBytesMax = 0;
};

enum class FrameKind : uint8_t { kNeedMore, kData, kControl, kError };

struct FrameStep {
  FrameKind kind = FrameKind::kNeedMore;
  Opcode opcode = Opcode::kContinuation;  // kData: of the message; kControl: of the frame
  bool first = false;                     // kData: nothing of the message came before
  bool last = false;                      // kData: the message is complete
  bool compressed = false;                // kData
  bool frameBegins = false;               // a header was completed
  uint16_t error = 0;                     // kError: the close code
  uint32_t consumed = 0;                  // bytes of the input that are done with
  uint32_t offset = 0;                    // kData: where in the input its bytes lie
  uint32_t length = 0;                    // kData, kControl
  uint64_t frameLeft = 0;                 // kData: bytes of the frame that have not come
  const uint8_t* control = nullptr;       // kControl: until the next call
};

class FrameParser {
 public:
  // Looks at the front of `data`. To be called again with what was not consumed, until kNeedMore.
  FrameStep next(uint8_t* data, uint32_t length, const FrameLimits& limits);
  // A message is under way: fragments of it may follow.
  bool inMessage() const { return inMessage_; }
  // Something of a frame has come, and not all of it.
  bool inFrame() const { return state_ != State::kHeader || headerBytes_ > 0; }

 private:
  enum class State : uint8_t { kHeader, kData, kControl, kBroken };

  FrameStep fail(uint16_t code);
  // 0, or the code of what is wrong with the first two bytes.
  uint16_t checkStart(const uint8_t* header, const FrameLimits& limits) const;
  // The whole header is there. 0, or a close code.
  uint16_t begin(const uint8_t* header, const FrameLimits& limits);
  bool takeHeader(const uint8_t* data, uint32_t length, const FrameLimits& limits, FrameStep* step);
  uint32_t takePayload(uint8_t* data, uint32_t length);
  FrameStep takeData(uint8_t* data, uint32_t length, FrameStep step);
  FrameStep takeControl(uint8_t* data, uint32_t length, FrameStep step);

  uint64_t left_ = 0;                   // bytes of the frame's payload that have not come
  uint64_t messageBytes_ = 0;           // of all frames of the message so far
  std::unique_ptr<uint8_t[]> control_;  // of a control frame that is split
  MaskKey key_ = 0;
  State state_ = State::kHeader;
  Opcode opcode_ = Opcode::kContinuation;   // of the frame
  Opcode message_ = Opcode::kContinuation;  // of the message
  bool final_ = false;
  bool masked_ = false;
  bool inMessage_ = false;
  bool compressed_ = false;
  bool begun_ = false;  // a piece of the message was given out
  uint8_t controlBytes_ = 0;
  uint8_t headerBytes_ = 0;
  uint8_t header_[kHeaderBytesMax] = {};
};

}  // namespace ringpoll::websocket
