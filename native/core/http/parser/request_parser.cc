#include "request_parser.h"

#include <algorithm>
#include <cstring>

#include "framing.h"
#include "target.h"

namespace ringpoll::http {
namespace {

constexpr uint32_t kVersionBytes = 8;  // "HTTP/1.1"

constexpr uint32_t kVersion10 = 0;  // flags of an HTTP/1.0 request

uint64_t wordOf(const char (&text)[kVersionBytes + 1]) {
  uint64_t word;
  std::memcpy(&word, text, kVersionBytes);
  return word;
}

// Whether `character` may stand at `index` of HTTP/digit.digit.
bool fitsVersion(uint8_t character, uint32_t index) {
  constexpr char kPattern[] = "HTTP/0.0";
  const auto expected = static_cast<uint8_t>(kPattern[index]);
  return expected == '0' ? is(character, kDigit) : character == expected;
}

}  // namespace

template <typename Scan>
void BasicHeadParser<Scan>::begin(uint32_t* record, uint32_t recordCapacity) {
  record_ = record;
  state_ = State::kLineOrRequest;
  error_ = HttpError::kNone;
  emptyLines_ = 0;
  position_ = mark_ = 0;
  fieldsMax_ =
      std::min(options_->limits.headersMax, (recordCapacity - kRecordHeaders) / kFieldWords);
}

template <typename Scan>
void BasicHeadParser<Scan>::relocate(uint32_t* record) {
  // One more than the count: the name of a header may be recorded while its value is awaited.
  const uint32_t headers = state_ == State::kFields ? std::min(fields_.count() + 1, fieldsMax_) : 0;
  std::memcpy(record, record_, recordWords(headers) * sizeof(uint32_t));
  record_ = record;
}

template <typename Scan>
HeadResult BasicHeadParser<Scan>::feed(const uint8_t* head, uint32_t length) {
  if (state_ == State::kFailed) return {Step::kError, error_, position_};
  const uint32_t limit = options_->limits.headBytesMax;
  const uint32_t end = std::min(length, limit);
  HeadResult result{Step::kDone, HttpError::kNone, 0};
  const bool remembers = memory_ != nullptr && memory_->remembers();
  if (remembers && fresh()) {
    const uint32_t recalledBytes = memory_->recall(head, end, record_);
    if (recalledBytes > 0) return recalled(recalledBytes);
  }
  if (state_ < State::kFields) {
    result = requestLine(head, end);
    if (result.step == Step::kDone && remembers && mayRecallSection(head)) {
      const uint32_t recalledBytes = memory_->recallSection(head, sectionStart_, end, record_);
      if (recalledBytes > 0) return recalled(recalledBytes);
    }
  }
  if (result.step == Step::kDone) result = fields(head, end);
  if (result.step == Step::kNeedMore && end == limit) {
    return fail(state_ == State::kTarget ? HttpError::kTargetTooLong : HttpError::kHeadTooLarge,
                limit);
  }
  return result;
}

template <typename Scan>
HeadResult BasicHeadParser<Scan>::recalled(uint32_t length) {
  state_ = State::kDone;
  fields_.skipTo(length);
  return {Step::kDone, HttpError::kNone, length};
}

// Of a target in another form the authority is compared with Host.
template <typename Scan>
bool BasicHeadParser<Scan>::mayRecallSection(const uint8_t* head) const {
  return head[record_[kRecordTargetOffset]] == '/' &&
         record_[kRecordMethod] != static_cast<uint32_t>(Method::kConnect);
}

template <typename Scan>
bool BasicHeadParser<Scan>::takesInTarget(uint8_t byte) const {
  if ((options_->lenient & kLenientTarget) != 0) return byte == '#' || byte >= 0x80;
  return byte == '#' && (options_->lenient & kLenientFragment) != 0;
}

template <typename Scan>
HeadResult BasicHeadParser<Scan>::needMore(State state, const uint8_t* head, const uint8_t* at) {
  state_ = state;
  position_ = static_cast<uint32_t>(at - head);
  return {};
}

template <typename Scan>
HeadResult BasicHeadParser<Scan>::fail(HttpError error, uint32_t offset) {
  state_ = State::kFailed;
  error_ = error;
  position_ = offset;
  return {Step::kError, error, offset};
}

template <typename Scan>
void BasicHeadParser<Scan>::recordMethod(Method method, uint32_t offset, uint32_t length) {
  record_[kRecordMethod] = static_cast<uint32_t>(method);
  record_[kRecordMethodOffset] = offset;
  record_[kRecordMethodLength] = length;
}

// The two methods that nearly all requests have, if their bytes are all there.
template <typename Scan>
bool BasicHeadParser<Scan>::quickMethod(const uint8_t*& at, const uint8_t* end) {
  if (end - at < 5) return false;
  if (std::memcmp(at, "GET ", 4) == 0) {
    recordMethod(Method::kGet, mark_, 3);
    at += 4;
    return true;
  }
  if (std::memcmp(at, "POST ", 5) == 0) {
    recordMethod(Method::kPost, mark_, 4);
    at += 5;
    return true;
  }
  return false;
}

// Returns kDone when the parser may go on.
template <typename Scan>
HeadResult BasicHeadParser<Scan>::takeMethod(const uint8_t* head, const uint8_t* mark,
                                             uint32_t length) {
  const Method method = findMethod(mark, length);
  if (method == Method::kUnknown && !options_->unknownMethods) {
    return fail(HttpError::kMethodUnknown, static_cast<uint32_t>(mark - head));
  }
  recordMethod(method, static_cast<uint32_t>(mark - head), length);
  return {Step::kDone, HttpError::kNone, 0};
}

// HTTP/digit.digit CRLF. Returns kDone when the parser may go on.
template <typename Scan>
HeadResult BasicHeadParser<Scan>::takeVersion(const uint8_t* head, const uint8_t*& at,
                                              const uint8_t* end) {
  const uint8_t* const mark = head + mark_;
  if (at == mark && end - at >= static_cast<int>(kVersionBytes + 2) && at[kVersionBytes] == '\r' &&
      at[kVersionBytes + 1] == '\n') {
    uint64_t word;
    std::memcpy(&word, at, kVersionBytes);
    if (word == wordOf("HTTP/1.1") || word == wordOf("HTTP/1.0")) {
      record_[kRecordFlags] = word == wordOf("HTTP/1.1") ? uint32_t{kFlagVersion11} : kVersion10;
      at += kVersionBytes + 2;
      return {Step::kDone, HttpError::kNone, 0};
    }
  }
  for (; at < end; at++) {
    const uint32_t index = static_cast<uint32_t>(at - mark);
    const uint32_t offset = static_cast<uint32_t>(at - head);
    if (index < kVersionBytes) {
      if (!fitsVersion(*at, index)) return fail(HttpError::kVersionInvalid, offset);
      continue;
    }
    if (index == kVersionBytes) {
      if (mark[5] != '1') return fail(HttpError::kVersionUnsupported, mark_);
      // RFC 9110 section 6.2: a higher minor version is taken for the highest that we know.
      record_[kRecordFlags] = mark[7] == '0' ? kVersion10 : uint32_t{kFlagVersion11};
      if (*at == '\r') continue;
      if (*at != '\n') return fail(HttpError::kVersionInvalid, offset);
      if ((options_->lenient & kLenientBareLineFeed) == 0) {
        return fail(HttpError::kLineEnd, offset);
      }
    } else if (*at != '\n') {
      return fail(HttpError::kLineEnd, offset);
    }
    at++;
    return {Step::kDone, HttpError::kNone, 0};
  }
  return needMore(State::kVersion, head, at);
}

template <typename Scan>
// NOLINTNEXTLINE(readability-function-size): one switch, an arm for each state
HeadResult BasicHeadParser<Scan>::requestLine(const uint8_t* head, uint32_t endOffset) {
  const uint8_t* const end = head + endOffset;
  const uint8_t* at = head + position_;
  const auto offsetOf = [head](const uint8_t* byte) { return static_cast<uint32_t>(byte - head); };
  for (State state = state_;;) {
    switch (state) {
      case State::kLineOrRequest:
        if (at == end) return needMore(State::kLineOrRequest, head, at);
        mark_ = offsetOf(at);
        if (quickMethod(at, end)) {
          mark_ = offsetOf(at);
          state = State::kTarget;
          continue;
        }
        if (*at != '\r' && *at != '\n') {
          state = State::kMethod;
          continue;
        }
        if (emptyLines_++ == kLeadingEmptyLinesMax ||
            (*at == '\n' && (options_->lenient & kLenientBareLineFeed) == 0)) {
          return fail(HttpError::kLineEnd, mark_);
        }
        state = *at++ == '\r' ? State::kLineFeed : State::kLineOrRequest;
        continue;

      case State::kLineFeed:
        if (at == end) return needMore(State::kLineFeed, head, at);
        if (*at != '\n') return fail(HttpError::kLineEnd, offsetOf(at));
        at++;
        state = State::kLineOrRequest;
        continue;

      case State::kMethod: {
        const uint8_t* const mark = head + mark_;
        const uint8_t* const stop = std::min(end, mark + kMethodBytesMax + 1);
        at = tokenEnd(at, stop);
        const uint32_t length = static_cast<uint32_t>(at - mark);
        if (length > kMethodBytesMax) return fail(HttpError::kMethodUnknown, mark_);
        if (at == end) return needMore(State::kMethod, head, at);
        if (*at != ' ' || length == 0) return fail(HttpError::kMethodInvalid, offsetOf(at));
        const HeadResult taken = takeMethod(head, mark, length);
        if (taken.step != Step::kDone) return taken;
        at++;
        mark_ = offsetOf(at);
        [[fallthrough]];
      }

      case State::kTarget: {
        const uint8_t* const mark = head + mark_;
        const uint32_t limit = options_->limits.targetBytesMax;
        const uint8_t* const stop =
            end - mark > static_cast<int64_t>(limit) ? mark + limit + 1 : end;
        at = Scan::targetEnd(head, at, stop);
        while (at < stop && takesInTarget(*at)) {
          at = Scan::targetEnd(head, at + 1, stop);
        }
        const uint32_t length = static_cast<uint32_t>(at - mark);
        if (length > limit) return fail(HttpError::kTargetTooLong, offsetOf(at) - 1);
        if (at == end) return needMore(State::kTarget, head, at);
        if (*at != ' ' || length == 0) {
          const bool ended = length > 0 && (*at == '\r' || *at == '\n');
          return fail(ended ? HttpError::kVersionMissing : HttpError::kTargetInvalid, offsetOf(at));
        }
        record_[kRecordTargetOffset] = mark_;
        record_[kRecordTargetLength] = length;
        const uint8_t* const query = Scan::find(head, mark, at, '?');
        record_[kRecordQueryOffset] = query == at ? 0 : offsetOf(query);
        at++;
        mark_ = offsetOf(at);
        [[fallthrough]];
      }

      case State::kVersion: {
        const HeadResult taken = takeVersion(head, at, end);
        if (taken.step != Step::kDone) return taken;
        state_ = State::kFields;
        sectionStart_ = offsetOf(at);
        fields_.begin(sectionStart_);
        return taken;
      }

      case State::kFields:
      case State::kDone:
      case State::kFailed:
        return {Step::kDone, HttpError::kNone, 0};
    }
  }
}

template <typename Scan>
HeadResult BasicHeadParser<Scan>::fields(const uint8_t* head, uint32_t end) {
  const Step step = fields_.run(head, end, record_ + kRecordHeaders, fieldsMax_, options_->lenient);
  if (step == Step::kDone) return finish(head);
  if (step == Step::kError) return fail(fields_.error(), fields_.position());
  return {};
}

template <typename Scan>
HeadResult BasicHeadParser<Scan>::finish(const uint8_t* head) {
  const uint32_t length = fields_.position();
  if (state_ == State::kDone) return {Step::kDone, HttpError::kNone, length};
  record_[kRecordHeadLength] = length;
  record_[kRecordHeaderCount] = fields_.count();
  record_[kRecordKnownLow] = static_cast<uint32_t>(fields_.known());
  record_[kRecordKnownHigh] = static_cast<uint32_t>(fields_.known() >> 32);
  const uint32_t targetOffset = record_[kRecordTargetOffset];
  const TargetResult target =
      classifyTarget(head + targetOffset, record_[kRecordTargetLength],
                     static_cast<Method>(record_[kRecordMethod]), options_->lenient);
  if (target.error != HttpError::kNone) return fail(target.error, targetOffset);
  record_[kRecordFlags] |= target.form;
  const FramingResult framing = applyFraming(head, record_, target, *options_);
  if (framing.error != HttpError::kNone) return fail(framing.error, framing.offset);
  record_[kRecordMemory] = record_[kRecordSameHead] = 0;
  if (memory_ != nullptr) memory_->remember(head, record_, sectionStart_);
  state_ = State::kDone;
  return {Step::kDone, HttpError::kNone, length};
}

template class BasicHeadParser<FastScan>;
#if RINGPOLL_HTTP_VECTORS
template class BasicHeadParser<ScalarScan>;
#endif

}  // namespace ringpoll::http
