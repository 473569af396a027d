#include "frame_parser.h"

#include <algorithm>
#include <cstring>

namespace ringpoll::websocket {

namespace {

uint32_t headerLength(const uint8_t* start) {
  const uint8_t length = start[1] & kLengthBits;
  uint32_t bytes = 2;
  if (length == kLengthOf16Bits) bytes += 2;
  if (length == kLengthOf64Bits) bytes += 8;
  return bytes + (start[1] & kMasked ? kKeyBytes : 0);
}

uint64_t bigEndian(const uint8_t* at, uint32_t bytes) {
  uint64_t value = 0;
  for (uint32_t i = 0; i < bytes; ++i) value = value << 8 | at[i];
  return value;
}

}  // namespace

FrameStep FrameParser::fail(uint16_t code) {
  state_ = State::kBroken;
  FrameStep step;
  step.kind = FrameKind::kError;
  step.error = code;
  return step;
}

uint16_t FrameParser::checkStart(const uint8_t* header, const FrameLimits& limits) const {
  const uint8_t flags = header[0];
  const auto opcode = static_cast<Opcode>(flags & kOpcodeBits);
  if (flags & kRsv2And3) return kProtocolError;
  if (((header[1] & kMasked) != 0) != (limits.role == Role::kServer)) return kProtocolError;
  switch (opcode) {
    case Opcode::kContinuation:
      return inMessage_ && !(flags & kRsv1) ? 0 : kProtocolError;
    case Opcode::kText:
    case Opcode::kBinary:
      if (inMessage_ || ((flags & kRsv1) && !limits.compression)) return kProtocolError;
      return 0;
    case Opcode::kClose:
    case Opcode::kPing:
    case Opcode::kPong:
      if (!(flags & kFin) || (flags & kRsv1)) return kProtocolError;
      return (header[1] & kLengthBits) <= kControlBytesMax ? 0 : kProtocolError;
  }
  return kProtocolError;  // a reserved opcode
}

uint16_t FrameParser::begin(const uint8_t* header, const FrameLimits& limits) {
  const uint8_t shortLength = header[1] & kLengthBits;
  uint32_t at = 2;
  left_ = shortLength;
  if (shortLength == kLengthOf16Bits) {
    left_ = bigEndian(header + at, 2);
    at += 2;
    if (left_ < kLengthOf16Bits) return kProtocolError;
  } else if (shortLength == kLengthOf64Bits) {
    left_ = bigEndian(header + at, 8);
    at += 8;
    // The most significant bit must be 0, and the shortest form must be used.
    if (left_ <= UINT16_MAX || left_ >> 63 != 0) return kProtocolError;
  }
  masked_ = (header[1] & kMasked) != 0;
  if (masked_) std::memcpy(&key_, header + at, kKeyBytes);
  opcode_ = static_cast<Opcode>(header[0] & kOpcodeBits);
  final_ = (header[0] & kFin) != 0;
  if (header[0] & kControlBit) {
    state_ = State::kControl;
    controlBytes_ = 0;
    return 0;
  }
  if (opcode_ != Opcode::kContinuation) {
    message_ = opcode_;
    compressed_ = (header[0] & kRsv1) != 0;
    messageBytes_ = 0;
    begun_ = false;
    inMessage_ = true;
  }
  const uint64_t limit = compressed_ ? limits.compressedBytesMax : limits.messageBytesMax;
  if (left_ > limit || messageBytes_ > limit - left_) return kTooBig;
  messageBytes_ += left_;
  state_ = State::kData;
  return 0;
}

// Takes bytes of the header. True: it is complete. Else `step` is the answer.
bool FrameParser::takeHeader(const uint8_t* data, uint32_t length, const FrameLimits& limits,
                             FrameStep* step) {
  const uint8_t* header = data;
  uint32_t taken = 0;
  if (headerBytes_ > 0 || length < 2 || length < headerLength(data)) {
    // Split: byte by byte, so that what is wrong is told with the byte that makes it so.
    header = header_;
    while (taken < length && (headerBytes_ < 2 || headerBytes_ < headerLength(header_))) {
      header_[headerBytes_++] = data[taken++];
      if (headerBytes_ != 2) continue;
      if (const uint16_t code = checkStart(header_, limits)) {
        *step = fail(code);
        return false;
      }
    }
    if (headerBytes_ < 2 || headerBytes_ < headerLength(header_)) {
      step->consumed = taken;
      return false;
    }
    headerBytes_ = 0;
  } else {
    taken = headerLength(data);
    if (const uint16_t code = checkStart(data, limits)) {
      *step = fail(code);
      return false;
    }
  }
  if (const uint16_t code = begin(header, limits)) {
    *step = fail(code);
    return false;
  }
  step->consumed = taken;
  step->frameBegins = true;
  return true;
}

// Takes of the frame's payload what has come, and unmasks it where it lies.
uint32_t FrameParser::takePayload(uint8_t* data, uint32_t length) {
  const auto taken = static_cast<uint32_t>(std::min<uint64_t>(left_, length));
  if (masked_ && taken > 0) {
    mask(data, taken, key_);
    key_ = keyAfter(key_, taken);
  }
  left_ -= taken;
  return taken;
}

FrameStep FrameParser::takeData(uint8_t* data, uint32_t length, FrameStep step) {
  const uint32_t taken = takePayload(data, length);
  if (taken == 0 && left_ > 0) return step;
  step.kind = FrameKind::kData;
  step.opcode = message_;
  step.compressed = compressed_;
  step.first = !begun_;
  step.last = final_ && left_ == 0;
  step.offset = step.consumed;
  step.length = taken;
  step.frameLeft = left_;
  step.consumed += taken;
  begun_ = true;
  if (left_ == 0) state_ = State::kHeader;
  if (step.last) inMessage_ = false;
  return step;
}

FrameStep FrameParser::takeControl(uint8_t* data, uint32_t length, FrameStep step) {
  const uint32_t taken = takePayload(data, length);
  if (taken == 0 && left_ > 0) return step;
  step.consumed += taken;
  if (left_ > 0 || controlBytes_ > 0) {
    if (control_ == nullptr) control_ = std::make_unique<uint8_t[]>(kControlBytesMax);
    std::memcpy(control_.get() + controlBytes_, data, taken);
    controlBytes_ = static_cast<uint8_t>(controlBytes_ + taken);
    if (left_ > 0) return step;
    step.control = control_.get();
    step.length = controlBytes_;
  } else {
    step.control = data;
    step.length = taken;
  }
  step.kind = FrameKind::kControl;
  step.opcode = opcode_;
  state_ = State::kHeader;
  return step;
}

FrameStep FrameParser::next(uint8_t* data, uint32_t length, const FrameLimits& limits) {
  FrameStep step;
  if (state_ == State::kBroken) return fail(kProtocolError);
  if (state_ == State::kHeader) {
    control_.reset();  // the caller has seen it
    if (!takeHeader(data, length, limits, &step)) return step;
  }
  const uint32_t at = step.consumed;
  return state_ == State::kControl ? takeControl(data + at, length - at, step)
                                   : takeData(data + at, length - at, step);
}

}  // namespace ringpoll::websocket
