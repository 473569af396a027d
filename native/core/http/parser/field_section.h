// Lines `name: value CRLF` up to and including the empty line: the header section of a head and
// the trailer section of a chunked body are both one. Restartable at any byte, looks at none twice.
//
//   kFieldOrEnd --> kName --> kValueStart --> kValue --> kValueLineFeed --> kFieldOrEnd
//        |
//        +--> kEndLineFeed --> kDone                      (any error is final: kFailed)
#pragma once

#include <cstdint>

#include "characters.h"
#include "errors.h"
#include "header_names.h"
#include "record.h"
#include "scan.h"

namespace ringpoll::http {

enum class Step : uint8_t { kNeedMore, kDone, kError };

template <typename Scan>
class FieldSection {
 public:
  // The first line starts at `position`.
  void begin(uint32_t position) {
    state_ = State::kFieldOrEnd;
    position_ = mark_ = position;
    count_ = 0;
    known_ = 0;
    error_ = HttpError::kNone;
  }

  // As if it had run to an end at `position`.
  void skipTo(uint32_t position) {
    state_ = State::kDone;
    position_ = position;
  }

  // Goes on in [region, region + end). `fields` has room for fieldsMax entries of kFieldWords.
  Step run(const uint8_t* region, uint32_t end, uint32_t* fields, uint32_t fieldsMax,
           uint32_t lenient);

  uint32_t position() const { return position_; }  // after kDone: just behind; kError: the culprit
  uint32_t count() const { return count_; }
  uint64_t known() const { return known_; }   // bit i: a field with HeaderId i
  HttpError error() const { return error_; }  // kHeadersTooMany also for trailers

 private:
  enum class State : uint8_t {
    kFieldOrEnd,
    kName,
    kValueStart,
    kValue,
    kValueLineFeed,
    kEndLineFeed,
    kDone,
    kFailed,
  };

  Step leave(State state, const uint8_t* region, const uint8_t* at, const uint8_t* mark) {
    state_ = state;
    position_ = static_cast<uint32_t>(at - region);
    mark_ = static_cast<uint32_t>(mark - region);
    return state == State::kDone ? Step::kDone : Step::kNeedMore;
  }

  Step fail(HttpError error, const uint8_t* region, const uint8_t* at) {
    state_ = State::kFailed;
    error_ = error;
    position_ = static_cast<uint32_t>(at - region);
    return Step::kError;
  }

  Step failName(const uint8_t* region, const uint8_t* mark, const uint8_t* stop);

  State state_ = State::kFieldOrEnd;
  HttpError error_ = HttpError::kNone;
  uint32_t position_ = 0;  // next byte to look at
  uint32_t mark_ = 0;      // where the current name or value started
  uint32_t count_ = 0;
  uint64_t known_ = 0;
};

// The first byte of a name that is not a token, or `end`.
inline const uint8_t* tokenEnd(const uint8_t* at, const uint8_t* end) {
  while (at < end && is(*at, kToken)) at++;
  return at;
}

template <typename Scan>
Step FieldSection<Scan>::failName(const uint8_t* region, const uint8_t* mark, const uint8_t* stop) {
  const uint8_t* culprit = tokenEnd(mark, stop);
  if (culprit < stop || !isSpaceOrTab(*stop)) {
    return fail(HttpError::kHeaderName, region, culprit);
  }
  return fail(stop == mark ? HttpError::kLineFolding : HttpError::kHeaderNameSpace, region, stop);
}

template <typename Scan>
// NOLINTNEXTLINE(readability-function-size): one switch, an arm for each state
Step FieldSection<Scan>::run(const uint8_t* region, uint32_t endOffset, uint32_t* fields,
                             uint32_t fieldsMax, uint32_t lenient) {
  const uint8_t* const end = region + endOffset;
  const uint8_t* at = region + position_;
  const uint8_t* mark = region + mark_;
  uint32_t* field = fields + kFieldWords * count_;
  for (State state = state_;;) {
    switch (state) {
      case State::kFieldOrEnd:
        if (at == end) return leave(State::kFieldOrEnd, region, at, mark);
        if (*at == '\r') {
          at++;
          state = State::kEndLineFeed;
          continue;
        }
        if (*at == '\n') {
          if ((lenient & kLenientBareLineFeed) == 0) return fail(HttpError::kLineEnd, region, at);
          return leave(State::kDone, region, at + 1, mark);
        }
        mark = at;
        [[fallthrough]];

      case State::kName: {
        at = Scan::nameEnd(region, at, end);
        if (at == end) return leave(State::kName, region, at, mark);
        const uint32_t length = static_cast<uint32_t>(at - mark);
        if (*at != ':' || length == 0) return failName(region, mark, at);
        const uint32_t id = findHeader(mark, length);
        if (id == kHeaderUnknown && tokenEnd(mark, at) != at) return failName(region, mark, at);
        if (count_ >= fieldsMax) return fail(HttpError::kHeadersTooMany, region, mark);
        field[kFieldNameOffset] = static_cast<uint32_t>(mark - region);
        field[kFieldNameLengthAndId] = length | id << kFieldIdShift;
        known_ |= uint64_t{1} << id;
        at++;
        [[fallthrough]];
      }

      case State::kValueStart:
        while (at < end && isSpaceOrTab(*at)) at++;
        if (at == end) return leave(State::kValueStart, region, at, at);
        mark = at;
        [[fallthrough]];

      case State::kValue: {
        at = Scan::valueEnd(region, at, end);
        while (at < end && (lenient & kLenientValue) != 0 && *at != '\r' && *at != '\n' &&
               *at != 0) {
          at = Scan::valueEnd(region, at + 1, end);
        }
        if (at == end) return leave(State::kValue, region, at, mark);
        const uint8_t stop = *at;
        if (stop != '\r' && stop != '\n') return fail(HttpError::kHeaderValue, region, at);
        if (stop == '\n' && (lenient & kLenientBareLineFeed) == 0) {
          return fail(HttpError::kLineEnd, region, at);
        }
        const uint8_t* valueEnd = at;
        while (valueEnd > mark && isSpaceOrTab(valueEnd[-1])) valueEnd--;
        field[kFieldValueOffset] = static_cast<uint32_t>(mark - region);
        field[kFieldValueLength] = static_cast<uint32_t>(valueEnd - mark);
        field += kFieldWords;
        count_++;
        at++;
        if (stop == '\n') {
          state = State::kFieldOrEnd;
          continue;
        }
        [[fallthrough]];
      }

      case State::kValueLineFeed:
        if (at == end) return leave(State::kValueLineFeed, region, at, mark);
        if (*at != '\n') return fail(HttpError::kLineEnd, region, at);
        at++;
        state = State::kFieldOrEnd;
        continue;

      case State::kEndLineFeed:
        if (at == end) return leave(State::kEndLineFeed, region, at, mark);
        if (*at != '\n') return fail(HttpError::kLineEnd, region, at);
        return leave(State::kDone, region, at + 1, mark);

      case State::kDone:
        return Step::kDone;
      case State::kFailed:
        return Step::kError;
    }
  }
}

}  // namespace ringpoll::http
