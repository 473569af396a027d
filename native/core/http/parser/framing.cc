#include "framing.h"

#include "framing_values.h"
#include "record.h"

namespace ringpoll::http {
namespace {

class Framing {
 public:
  Framing(const uint8_t* head, uint32_t* record, const TargetResult& target, const Options& options)
      : head_(head),
        record_(record),
        target_(target),
        options_(options),
        flags_(record[kRecordFlags]) {}

  FramingResult apply() {
    const uint64_t known = record_[kRecordKnownLow];
    const uint32_t* field = record_ + kRecordHeaders;
    if ((known & kAllFraming) != 0) {
      for (uint32_t i = 0; i < record_[kRecordHeaderCount]; i++, field += kFieldWords) {
        const uint32_t id = field[kFieldNameLengthAndId] >> kFieldIdShift;
        if (id - 1 >= kHeaderFramingLast) continue;
        const HttpError error = take(id, i, field);
        if (error != HttpError::kNone) return {error, field[kFieldValueOffset]};
      }
    }
    const HttpError error = conclude();
    record_[kRecordFlags] = flags_;
    record_[kRecordContentLengthLow] = static_cast<uint32_t>(contentLength_);
    record_[kRecordContentLengthHigh] = static_cast<uint32_t>(contentLength_ >> 32);
    record_[kRecordHostIndex] = hostIndex_;
    // The fault lies in the head as a whole: its end is where it was found out.
    return {error, error == HttpError::kNone ? 0 : record_[kRecordHeadLength]};
  }

 private:
  static constexpr uint32_t kAllFraming = (2u << kHeaderFramingLast) - 2;

  bool lenient(Lenient bit) const { return (options_.lenient & bit) != 0; }
  bool version11() const { return (flags_ & kFlagVersion11) != 0; }
  Method method() const { return static_cast<Method>(record_[kRecordMethod]); }

  HttpError take(uint32_t id, uint32_t index, const uint32_t* field) {
    const uint8_t* const value = head_ + field[kFieldValueOffset];
    const uint32_t length = field[kFieldValueLength];
    switch (id) {
      case kHeaderHost:
        return takeHost(index, value, length);
      case kHeaderConnection:
        takeConnection(value, length);
        return HttpError::kNone;
      case kHeaderContentLength:
        return takeContentLength(value, length);
      case kHeaderTransferEncoding:
        return takeTransferEncoding(value, length);
      case kHeaderExpect:
        return takeExpect(value, length);
      case kHeaderUpgrade:
        upgradeHeader_ = upgradeHeader_ || length > 0;
        return HttpError::kNone;
      default:
        return HttpError::kNone;
    }
  }

  HttpError takeHost(uint32_t index, const uint8_t* value, uint32_t length) {
    if (hostIndex_ != 0)
      return lenient(kLenientHosts) ? HttpError::kNone : HttpError::kHostRepeated;
    hostIndex_ = index + 1;
    if (lenient(kLenientHost)) return HttpError::kNone;
    if (!isAuthority(value, length)) return HttpError::kHostInvalid;
    return target_.authorityLength == 0 || sameAsTarget(value, length) ? HttpError::kNone
                                                                       : HttpError::kHostMismatch;
  }

  // RFC 9112 section 3.2.2 lets the target win. Who routes by Host would go elsewhere, though.
  bool sameAsTarget(const uint8_t* value, uint32_t length) const {
    const uint8_t* const authority = head_ + record_[kRecordTargetOffset] + target_.authorityOffset;
    return sameAuthority(value, length, authority, target_.authorityLength, target_.defaultPort);
  }

  void takeConnection(const uint8_t* value, uint32_t length) {
    forEachMember(value, value + length, [this](const uint8_t* token, uint32_t size) {
      if (equalsIgnoringCase(token, size, "close")) close_ = true;
      if (equalsIgnoringCase(token, size, "keep-alive")) keepAlive_ = true;
      if (equalsIgnoringCase(token, size, "upgrade")) upgradeOption_ = true;
    });
  }

  HttpError takeContentLength(const uint8_t* value, uint32_t length) {
    if ((flags_ & kFlagContentLength) != 0) return HttpError::kContentLengthRepeated;
    flags_ |= kFlagContentLength;
    return parseContentLength(value, length, &contentLength_) ? HttpError::kNone
                                                              : HttpError::kContentLengthInvalid;
  }

  HttpError takeTransferEncoding(const uint8_t* value, uint32_t length) {
    transferEncoding_ = true;
    HttpError error = HttpError::kNone;
    forEachMember(value, value + length, [&](const uint8_t* coding, uint32_t size) {
      // An empty member, or anything behind `chunked`, leaves open where the body ends.
      if (size == 0 || chunked_) error = HttpError::kTransferEncodingInvalid;
      chunked_ = equalsIgnoringCase(coding, size, "chunked");
      otherCodings_ = otherCodings_ || !chunked_;
    });
    return error;
  }

  HttpError takeExpect(const uint8_t* value, uint32_t length) {
    if (!version11()) return HttpError::kNone;  // RFC 9110 section 10.1.1: ignored
    if (!equalsIgnoringCase(value, length, "100-continue")) {
      return lenient(kLenientExpectation) ? HttpError::kNone : HttpError::kExpectation;
    }
    flags_ |= kFlagExpectContinue;
    return HttpError::kNone;
  }

  HttpError conclude() {
    if (version11() && hostIndex_ == 0 && !lenient(kLenientHost)) return HttpError::kHostMissing;
    if (transferEncoding_) {
      const HttpError error = concludeTransferEncoding();
      if (error != HttpError::kNone) return error;
    }
    if (contentLength_ > options_.limits.bodyBytesMax) return HttpError::kBodyTooLarge;
    if ((flags_ & kFlagChunked) != 0 || contentLength_ > 0) flags_ |= kFlagHasBody;
    if (version11() ? !close_ : keepAlive_ && !close_) flags_ |= kFlagKeepAlive;
    if (transferEncoding_ && (flags_ & kFlagContentLength) != 0) flags_ &= ~kFlagKeepAlive;
    return concludeMethod();
  }

  HttpError concludeTransferEncoding() {
    if (!version11()) return HttpError::kTransferEncodingVersion;
    if ((flags_ & kFlagContentLength) != 0 && !lenient(kLenientLengthAndChunked)) {
      return HttpError::kLengthAndTransferEncoding;
    }
    if (!chunked_) return HttpError::kTransferEncodingInvalid;
    if (otherCodings_ && !lenient(kLenientTransferCodings)) {
      return HttpError::kTransferEncodingUnsupported;
    }
    contentLength_ = 0;
    flags_ |= kFlagChunked;
    return HttpError::kNone;
  }

  HttpError concludeMethod() {
    const bool hasLength = (flags_ & (kFlagChunked | kFlagContentLength)) != 0;
    switch (method()) {
      case Method::kConnect:
        if (hasLength) return HttpError::kConnectBody;
        flags_ |= kFlagUpgrade;
        // RFC 9110 section 9.3.6: what follows is meant for the tunnel, and is no request.
        flags_ &= ~kFlagKeepAlive;
        break;
      case Method::kPost:
      case Method::kPut:
      case Method::kPatch:
        if (options_.lengthRequired && !hasLength) return HttpError::kLengthRequired;
        break;
      default:
        break;
    }
    // RFC 9110 section 7.8: Upgrade of an HTTP/1.0 request is ignored.
    if (upgradeOption_ && upgradeHeader_ && version11()) flags_ |= kFlagUpgrade;
    return HttpError::kNone;
  }

  const uint8_t* head_;
  uint32_t* record_;
  const TargetResult& target_;
  const Options& options_;
  uint32_t flags_;
  uint32_t hostIndex_ = 0;
  uint64_t contentLength_ = 0;
  bool close_ = false;
  bool keepAlive_ = false;
  bool upgradeOption_ = false;
  bool upgradeHeader_ = false;
  bool transferEncoding_ = false;
  bool chunked_ = false;
  bool otherCodings_ = false;
};

}  // namespace

FramingResult applyFraming(const uint8_t* head, uint32_t* record, const TargetResult& target,
                           const Options& options) {
  return Framing(head, record, target, options).apply();
}

}  // namespace ringpoll::http
