// Finds the body of a request in the bytes behind its head, by length or by chunks (RFC 9112
// sections 6 and 7). Fed with whatever was received, in pieces of any size, it says where the data
// lies; it copies and keeps nothing.
//
//   decoder.begin(record, options);
//   for (;;) {
//     BodyStep s = decoder.next(data, length);
//     data += s.consumed, length -= s.consumed;
//     kData:     body bytes at s.offset (from the `data` that was passed), s.length of them
//     kNeedMore: everything is consumed, receive more
//     kTrailers: a trailer section starts at the new `data`: feed it to a TrailerParser
//     kEnd:      the request is over, what is left belongs to the next one
//     kError:    s.error at s.offset; final
//   }
#pragma once

#include <cstdint>

#include "errors.h"
#include "options.h"
#include "record.h"

namespace ringpoll::http {

enum class BodyStepKind : uint8_t { kNeedMore, kData, kTrailers, kEnd, kError };

struct BodyStep {
  BodyStepKind kind = BodyStepKind::kNeedMore;
  HttpError error = HttpError::kNone;
  uint32_t offset = 0;
  uint32_t length = 0;
  uint32_t consumed = 0;
};

class BodyDecoder {
 public:
  // `record` is that of a parsed head; it is not needed afterwards. `options` is.
  void begin(const uint32_t* record, const Options& options);

  BodyStep next(const uint8_t* data, uint32_t length);

  uint64_t received() const { return received_; }  // body bytes handed out so far
  // Bytes still to come, if all of them are the body's; 0 for chunks.
  uint64_t left() const { return state_ == State::kLengthData ? remaining_ : 0; }
  // So many of those were received elsewhere, at most left().
  void take(uint32_t bytes);

 private:
  // With a length: kLengthData --> kEnd. With chunks:
  //
  //   kSizeStart --> kSize --> kSizeLineFeed --> kChunkData --> kDataReturn --> kDataLineFeed --+
  //       ^            |            | size 0                                                    |
  //       |            v            v                                                           |
  //       |     kExtension...   kTrailersOrEnd --> kEndLineFeed --> kEnd                        |
  //       |                         |                                                           |
  //       |                         +--> kTrailers (the caller goes on)                         |
  //       +-------------------------------------------------------------------------------------+
  //   (any error is final: kFailed)
  enum class State : uint8_t {
    kLengthData,
    kSizeStart,
    kSize,
    kSizeSpace,
    kExtensionNameStart,
    kExtensionName,
    kExtensionValueStart,
    kExtensionToken,
    kExtensionQuoted,
    kExtensionQuotedPair,
    kExtensionQuotedEnd,
    kSizeLineFeed,
    kChunkData,
    kDataReturn,
    kDataLineFeed,
    kTrailersOrEnd,
    kEndLineFeed,
    kTrailers,
    kEnd,
    kFailed,
  };

  BodyStep takeData(const uint8_t* begin, const uint8_t* at, const uint8_t* end, State afterwards);
  HttpError takeByte(uint8_t byte);
  HttpError takeSizeDigit(uint8_t byte);
  HttpError takeSizeEnd(uint8_t byte);
  HttpError takeExtensionByte(uint8_t byte);
  HttpError takeExtensionEnd(uint8_t byte);
  HttpError finishSizeLine();
  bool lenient(Lenient bit) const { return (options_->lenient & bit) != 0; }

  const Options* options_ = nullptr;
  State state_ = State::kEnd;
  HttpError error_ = HttpError::kNone;
  uint8_t sizeDigits_ = 0;
  uint32_t extensionBytes_ = 0;  // of the whole message
  uint64_t remaining_ = 0;       // of the body or of the current chunk
  uint64_t received_ = 0;
};

}  // namespace ringpoll::http
