#include "body_decoder.h"

#include <algorithm>

#include "characters.h"

namespace ringpoll::http {
namespace {

uint32_t hexValue(uint8_t digit) {
  return is(digit, kDigit) ? digit - '0' : (digit | 0x20) - 'a' + 10u;
}

}  // namespace

void BodyDecoder::begin(const uint32_t* record, const Options& options) {
  const RecordView view(record);
  options_ = &options;
  error_ = HttpError::kNone;
  sizeDigits_ = 0;
  extensionBytes_ = 0;
  received_ = 0;
  remaining_ = view.contentLength();
  if (view.has(kFlagChunked)) {
    state_ = State::kSizeStart;
  } else {
    state_ = remaining_ > 0 ? State::kLengthData : State::kEnd;
  }
}

BodyStep BodyDecoder::next(const uint8_t* data, uint32_t length) {
  const uint8_t* const end = data + length;
  const auto consumed = [data](const uint8_t* at) { return static_cast<uint32_t>(at - data); };
  for (const uint8_t* at = data;; at++) {
    switch (state_) {
      case State::kEnd:
        return {BodyStepKind::kEnd, HttpError::kNone, 0, 0, consumed(at)};
      case State::kTrailers:
        return {BodyStepKind::kTrailers, HttpError::kNone, 0, 0, consumed(at)};
      case State::kFailed:
        return {BodyStepKind::kError, error_, 0, 0, 0};
      case State::kLengthData:
        if (at < end) return takeData(data, at, end, State::kEnd);
        break;
      case State::kChunkData:
        if (at < end) return takeData(data, at, end, State::kDataReturn);
        break;
      case State::kTrailersOrEnd:
        if (at < end && *at != '\r' && (*at != '\n' || !lenient(kLenientBareLineFeed))) {
          state_ = State::kTrailers;
          return {BodyStepKind::kTrailers, HttpError::kNone, 0, 0, consumed(at)};
        }
        break;
      default:
        break;
    }
    if (at == end) return {BodyStepKind::kNeedMore, HttpError::kNone, 0, 0, length};
    const HttpError error = takeByte(*at);
    if (error != HttpError::kNone) {
      state_ = State::kFailed;
      error_ = error;
      return {BodyStepKind::kError, error, consumed(at), 0, 0};
    }
  }
}

void BodyDecoder::take(uint32_t bytes) {
  remaining_ -= bytes;
  received_ += bytes;
  if (remaining_ == 0) state_ = State::kEnd;
}

// Hands out as much of the body or chunk as there is.
BodyStep BodyDecoder::takeData(const uint8_t* begin, const uint8_t* at, const uint8_t* end,
                               State afterwards) {
  const uint32_t taken =
      static_cast<uint32_t>(std::min<uint64_t>(remaining_, static_cast<uint64_t>(end - at)));
  const uint32_t offset = static_cast<uint32_t>(at - begin);
  remaining_ -= taken;
  received_ += taken;
  if (remaining_ == 0) state_ = afterwards;
  return {BodyStepKind::kData, HttpError::kNone, offset, taken, offset + taken};
}

HttpError BodyDecoder::takeByte(uint8_t byte) {
  switch (state_) {
    case State::kSizeStart:
      remaining_ = 0;
      sizeDigits_ = 0;
      return is(byte, kHex) ? takeSizeDigit(byte) : HttpError::kChunkSize;
    case State::kSize:
      return is(byte, kHex) ? takeSizeDigit(byte) : takeSizeEnd(byte);
    case State::kSizeSpace:
      return takeSizeEnd(byte);
    case State::kSizeLineFeed:
      return byte == '\n' ? finishSizeLine() : HttpError::kLineEnd;
    case State::kDataReturn:
      if (byte == '\n' && lenient(kLenientBareLineFeed)) {
        state_ = State::kSizeStart;
        return HttpError::kNone;
      }
      state_ = State::kDataLineFeed;
      return byte == '\r' ? HttpError::kNone : HttpError::kChunkEnd;
    case State::kDataLineFeed:
      state_ = State::kSizeStart;
      return byte == '\n' ? HttpError::kNone : HttpError::kChunkEnd;
    case State::kTrailersOrEnd:
      state_ = byte == '\r' ? State::kEndLineFeed : State::kEnd;
      return HttpError::kNone;
    case State::kEndLineFeed:
      state_ = State::kEnd;
      return byte == '\n' ? HttpError::kNone : HttpError::kLineEnd;
    default:
      return takeExtensionByte(byte);
  }
}

HttpError BodyDecoder::takeSizeDigit(uint8_t byte) {
  if (++sizeDigits_ > kChunkSizeDigitsMax) return HttpError::kChunkSize;
  remaining_ = remaining_ << 4 | hexValue(byte);
  state_ = State::kSize;
  return HttpError::kNone;
}

// What stands behind the last digit of a chunk size.
HttpError BodyDecoder::takeSizeEnd(uint8_t byte) {
  if (isSpaceOrTab(byte) && lenient(kLenientChunkSpace)) {
    state_ = State::kSizeSpace;
    return ++extensionBytes_ > options_->limits.chunkExtensionBytesMax
               ? HttpError::kChunkExtensionsTooLarge
               : HttpError::kNone;
  }
  const HttpError error = takeExtensionEnd(byte);
  return error == HttpError::kChunkExtension ? HttpError::kChunkSize : error;
}

// What stands behind a complete extension: the next one, or the end of the line.
HttpError BodyDecoder::takeExtensionEnd(uint8_t byte) {
  switch (byte) {
    case ';':
      state_ = State::kExtensionNameStart;
      return ++extensionBytes_ > options_->limits.chunkExtensionBytesMax
                 ? HttpError::kChunkExtensionsTooLarge
                 : HttpError::kNone;
    case '\r':
      state_ = State::kSizeLineFeed;
      return HttpError::kNone;
    case '\n':
      return lenient(kLenientBareLineFeed) ? finishSizeLine() : HttpError::kLineEnd;
    default:
      return HttpError::kChunkExtension;
  }
}

// *( ";" token [ "=" ( token / quoted-string ) ] ), without the optional spaces of RFC 9112.
HttpError BodyDecoder::takeExtensionByte(uint8_t byte) {
  const bool token = is(byte, kToken);
  HttpError error = HttpError::kNone;
  switch (state_) {
    case State::kExtensionNameStart:
      state_ = State::kExtensionName;
      if (!token) error = HttpError::kChunkExtension;
      break;
    case State::kExtensionName:
      if (token) break;
      if (byte != '=') return takeExtensionEnd(byte);
      state_ = State::kExtensionValueStart;
      break;
    case State::kExtensionValueStart:
      state_ = byte == '"' ? State::kExtensionQuoted : State::kExtensionToken;
      if (!token && byte != '"') error = HttpError::kChunkExtension;
      break;
    case State::kExtensionToken:
      if (!token) return takeExtensionEnd(byte);
      break;
    case State::kExtensionQuoted:
      if (byte == '"') state_ = State::kExtensionQuotedEnd;
      if (byte == '\\') state_ = State::kExtensionQuotedPair;
      if (byte != '"' && byte != '\\' && !is(byte, kQuotedText)) error = HttpError::kChunkExtension;
      break;
    case State::kExtensionQuotedPair:
      state_ = State::kExtensionQuoted;
      if (!is(byte, kQuotedPair)) error = HttpError::kChunkExtension;
      break;
    default:  // kExtensionQuotedEnd
      return takeExtensionEnd(byte);
  }
  if (error != HttpError::kNone) return error;
  return ++extensionBytes_ > options_->limits.chunkExtensionBytesMax
             ? HttpError::kChunkExtensionsTooLarge
             : HttpError::kNone;
}

HttpError BodyDecoder::finishSizeLine() {
  if (lenient(kLenientExtensions)) extensionBytes_ = 0;
  if (remaining_ == 0) {
    state_ = State::kTrailersOrEnd;
    return HttpError::kNone;
  }
  // Written so that nothing can overflow: received_ never exceeds the limit.
  if (remaining_ > options_->limits.bodyBytesMax - received_) return HttpError::kBodyTooLarge;
  state_ = State::kChunkData;
  return HttpError::kNone;
}

}  // namespace ringpoll::http
