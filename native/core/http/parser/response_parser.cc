#include "response_parser.h"

#include <algorithm>
#include <cstring>

#include "framing_values.h"

namespace ringpoll::http {
namespace {

constexpr uint32_t kVersionEnd = 9;  // "HTTP/1.1 "
constexpr uint32_t kStatusEnd = kVersionEnd + 3;
constexpr uint32_t kStatusMin = 100;
constexpr uint32_t kNoContent = 204;
constexpr uint32_t kNotModified = 304;
constexpr uint32_t kSwitchingProtocols = 101;

bool fitsVersion(uint8_t character, uint32_t index) {
  constexpr char kPattern[] = "HTTP/1.0 ";
  const auto expected = static_cast<uint8_t>(kPattern[index]);
  return expected == '0' ? is(character, kDigit) : character == expected;
}

}  // namespace

void ResponseParser::begin(uint32_t* record, uint32_t recordCapacity) {
  record_ = record;
  state_ = State::kVersion;
  error_ = HttpError::kNone;
  position_ = 0;
  fieldsMax_ =
      std::min(options_->limits.headersMax, (recordCapacity - kRecordHeaders) / kFieldWords);
}

void ResponseParser::relocate(uint32_t* record) {
  // One more than the count: the name of a header may be recorded while its value is awaited.
  const uint32_t headers = state_ == State::kFields ? std::min(fields_.count() + 1, fieldsMax_) : 0;
  std::memcpy(record, record_, recordWords(headers) * sizeof(uint32_t));
  record_ = record;
}

HeadResult ResponseParser::fail(HttpError error, uint32_t offset) {
  state_ = State::kFailed;
  error_ = error;
  position_ = offset;
  return {Step::kError, error, offset};
}

HeadResult ResponseParser::feed(const uint8_t* head, uint32_t length) {
  if (state_ == State::kFailed) return {Step::kError, error_, position_};
  const uint32_t limit = options_->limits.headBytesMax;
  const uint32_t end = std::min(length, limit);
  HeadResult result{Step::kDone, HttpError::kNone, 0};
  if (state_ < State::kFields) result = statusLine(head, end);
  if (result.step == Step::kDone) {
    const Step step =
        fields_.run(head, end, record_ + kRecordHeaders, fieldsMax_, options_->lenient);
    if (step == Step::kDone) return finish();
    if (step == Step::kError) return fail(fields_.error(), fields_.position());
    result = {};
  }
  if (result.step == Step::kNeedMore && end == limit) return fail(HttpError::kHeadTooLarge, limit);
  return result;
}

HeadResult ResponseParser::beginFields(uint32_t position) {
  state_ = State::kFields;
  fields_.begin(position);
  return {Step::kDone, HttpError::kNone, 0};
}

HeadResult ResponseParser::statusLine(const uint8_t* head, uint32_t end) {
  constexpr HttpError kWrong = asHttpError(ResponseError::kStatusLine);
  for (; position_ < end; position_++) {
    const uint8_t byte = head[position_];
    switch (state_) {
      case State::kVersion:
        if (!fitsVersion(byte, position_)) return fail(kWrong, position_);
        if (position_ + 1 < kVersionEnd) continue;
        record_[kRecordFlags] = head[kVersionEnd - 2] == '0' ? 0 : uint32_t{kFlagVersion11};
        record_[kRecordStatus] = 0;
        state_ = State::kStatus;
        continue;
      case State::kStatus:
        if (position_ < kStatusEnd) {
          if (!is(byte, kDigit)) return fail(kWrong, position_);
          record_[kRecordStatus] = record_[kRecordStatus] * 10 + (byte - '0');
          continue;
        }
        if (record_[kRecordStatus] < kStatusMin) return fail(kWrong, kVersionEnd);
        // RFC 9112 section 4: the reason may be empty, and many leave out the space before it too.
        record_[kRecordReasonOffset] = position_ + 1;
        record_[kRecordReasonLength] = 0;
        state_ = State::kReason;
        if (byte == ' ') continue;
        if (byte != '\r' && byte != '\n') return fail(kWrong, position_);
        record_[kRecordReasonOffset] = position_;
        [[fallthrough]];
      case State::kReason: {
        position_ =
            static_cast<uint32_t>(FastScan::valueEnd(head, head + position_, head + end) - head);
        if (position_ == end) return {};
        record_[kRecordReasonLength] = position_ - record_[kRecordReasonOffset];
        if (head[position_] == '\r') {
          state_ = State::kLineFeed;
          continue;
        }
        if (head[position_] != '\n') return fail(kWrong, position_);
        if ((options_->lenient & kLenientBareLineFeed) == 0) {
          return fail(HttpError::kLineEnd, position_);
        }
        return beginFields(++position_);
      }
      case State::kLineFeed:
        if (byte != '\n') return fail(HttpError::kLineEnd, position_);
        return beginFields(++position_);
      default:
        return {Step::kDone, HttpError::kNone, 0};
    }
  }
  return {};
}

HeadResult ResponseParser::finish() {
  const uint32_t length = fields_.position();
  state_ = State::kDone;
  record_[kRecordHeadLength] = length;
  record_[kRecordTargetOffset] = record_[kRecordTargetLength] = record_[kRecordQueryOffset] = 0;
  record_[kRecordHostIndex] = 0;
  record_[kRecordHeaderCount] = fields_.count();
  record_[kRecordKnownLow] = static_cast<uint32_t>(fields_.known());
  record_[kRecordKnownHigh] = static_cast<uint32_t>(fields_.known() >> 32);
  return {Step::kDone, HttpError::kNone, length};
}

namespace {

class ResponseFraming {
 public:
  ResponseFraming(const uint8_t* head, uint32_t* record, const Options& options)
      : head_(head), record_(record), options_(options), flags_(record[kRecordFlags]) {}

  HttpError apply(AskedFor asked) {
    const uint32_t* field = record_ + kRecordHeaders;
    constexpr uint64_t kAllFraming = (2u << kHeaderFramingLast) - 2;
    if ((record_[kRecordKnownLow] & kAllFraming) != 0) {
      for (uint32_t i = 0; i < record_[kRecordHeaderCount]; i++, field += kFieldWords) {
        const HttpError error = take(field[kFieldNameLengthAndId] >> kFieldIdShift,
                                     head_ + field[kFieldValueOffset], field[kFieldValueLength]);
        if (error != HttpError::kNone) return error;
      }
    }
    const HttpError error = conclude(asked);
    record_[kRecordFlags] = flags_;
    record_[kRecordContentLengthLow] = static_cast<uint32_t>(contentLength_);
    record_[kRecordContentLengthHigh] = static_cast<uint32_t>(contentLength_ >> 32);
    return error;
  }

 private:
  HttpError take(uint32_t id, const uint8_t* value, uint32_t length) {
    switch (id) {
      case kHeaderConnection:
        forEachMember(value, value + length, [this](const uint8_t* token, uint32_t size) {
          if (equalsIgnoringCase(token, size, "close")) close_ = true;
          if (equalsIgnoringCase(token, size, "keep-alive")) keepAlive_ = true;
        });
        return HttpError::kNone;
      case kHeaderContentLength:
        if ((flags_ & kFlagContentLength) != 0) return HttpError::kContentLengthRepeated;
        flags_ |= kFlagContentLength;
        return parseContentLength(value, length, &contentLength_)
                   ? HttpError::kNone
                   : HttpError::kContentLengthInvalid;
      case kHeaderTransferEncoding:
        transferEncoding_ = true;
        return takeTransferEncoding(value, length);
      default:
        return HttpError::kNone;
    }
  }

  HttpError takeTransferEncoding(const uint8_t* value, uint32_t length) {
    HttpError error = HttpError::kNone;
    forEachMember(value, value + length, [&](const uint8_t* coding, uint32_t size) {
      if (size == 0 || chunked_) error = HttpError::kTransferEncodingInvalid;
      chunked_ = equalsIgnoringCase(coding, size, "chunked");
      if (!chunked_) error = HttpError::kTransferEncodingUnsupported;
    });
    return error;
  }

  HttpError conclude(AskedFor asked) {
    const uint32_t status = record_[kRecordStatus];
    const bool version11 = (flags_ & kFlagVersion11) != 0;
    if (version11 ? !close_ : keepAlive_ && !close_) flags_ |= kFlagKeepAlive;
    if (status == kSwitchingProtocols || (asked.connect && status / 100 == 2)) {
      flags_ |= kFlagUpgrade;
      return HttpError::kNone;
    }
    // A proxy in between may have read it in another way.
    if (transferEncoding_ && (flags_ & kFlagContentLength) != 0) {
      return HttpError::kLengthAndTransferEncoding;
    }
    if (transferEncoding_ && !version11) return HttpError::kTransferEncodingVersion;
    if (asked.head || status < 200 || status == kNoContent || status == kNotModified) {
      return HttpError::kNone;
    }
    if (transferEncoding_) {
      flags_ |= kFlagChunked | kFlagHasBody;
    } else if ((flags_ & kFlagContentLength) == 0) {
      flags_ = (flags_ & ~kFlagKeepAlive) | kFlagUntilClose | kFlagHasBody;
    } else if (contentLength_ > options_.limits.bodyBytesMax) {
      return HttpError::kBodyTooLarge;
    } else if (contentLength_ > 0) {
      flags_ |= kFlagHasBody;
    }
    return HttpError::kNone;
  }

  const uint8_t* head_;
  uint32_t* record_;
  const Options& options_;
  uint32_t flags_;
  uint64_t contentLength_ = 0;
  bool close_ = false;
  bool keepAlive_ = false;
  bool transferEncoding_ = false;
  bool chunked_ = false;
};

}  // namespace

HttpError applyResponseFraming(const uint8_t* head, uint32_t* record, AskedFor asked,
                               const Options& options) {
  return ResponseFraming(head, record, options).apply(asked);
}

}  // namespace ringpoll::http
