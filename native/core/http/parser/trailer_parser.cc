#include "trailer_parser.h"

#include <algorithm>

namespace ringpoll::http {
namespace {

// Names that would change what has been decided already if somebody merged them into the headers
// (RFC 9110 section 6.5.1). Content-Type and the like are only useless there, so they may pass.
constexpr uint64_t kForbidden = uint64_t{1} << kHeaderHost | uint64_t{1} << kHeaderContentLength |
                                uint64_t{1} << kHeaderTransferEncoding |
                                uint64_t{1} << kHeaderConnection | uint64_t{1} << kHeaderUpgrade |
                                uint64_t{1} << kHeaderExpect | uint64_t{1} << kHeaderTrailer |
                                uint64_t{1} << kHeaderAuthorization | uint64_t{1} << kHeaderCookie;

}  // namespace

void TrailerParser::begin(uint32_t* fields, uint32_t fieldsCapacity) {
  fields_ = fields;
  fieldsMax_ = std::min(options_->limits.trailersMax, fieldsCapacity);
  error_ = HttpError::kNone;
  section_.begin(0);
}

HeadResult TrailerParser::fail(HttpError error, uint32_t offset) {
  error_ = error;
  errorOffset_ = offset;
  return {Step::kError, error, offset};
}

HeadResult TrailerParser::feed(const uint8_t* region, uint32_t length) {
  if (error_ != HttpError::kNone) return {Step::kError, error_, errorOffset_};
  const uint32_t limit = options_->limits.trailerBytesMax;
  const uint32_t end = std::min(length, limit);
  const Step step = section_.run(region, end, fields_, fieldsMax_, options_->lenient);
  if (step == Step::kError) {
    const bool tooMany = section_.error() == HttpError::kHeadersTooMany;
    return fail(tooMany ? HttpError::kTrailersTooMany : section_.error(), section_.position());
  }
  if (step == Step::kNeedMore) {
    return end == limit ? fail(HttpError::kTrailersTooLarge, limit) : HeadResult{};
  }
  if ((section_.known() & kForbidden) != 0) {
    for (uint32_t i = 0; i < section_.count(); i++) {
      const uint32_t* const field = fields_ + kFieldWords * i;
      const uint32_t id = field[kFieldNameLengthAndId] >> kFieldIdShift;
      if ((kForbidden >> id & 1) != 0) {
        return fail(HttpError::kTrailerForbidden, field[kFieldNameOffset]);
      }
    }
  }
  return {Step::kDone, HttpError::kNone, section_.position()};
}

}  // namespace ringpoll::http
