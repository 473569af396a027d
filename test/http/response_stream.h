// Puts the parsers together as a connection of a client does, and writes down what came out of the
// responses to requests of one kind: heads, bodies, trailers, and what was wrong. The fuzzer uses
// it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/http/parser/body_decoder.h"
#include "core/http/parser/response_parser.h"
#include "core/http/parser/trailer_parser.h"

namespace ringpoll::http::testing {

struct ResponseSettings {
  Options options;
  AskedFor asked;
};

class ResponseStream {
 public:
  explicit ResponseStream(const ResponseSettings& settings)
      : settings_(settings),
        head_(settings_.options),
        trailerParser_(settings_.options),
        record_(recordWords(settings_.options.limits.headersMax)),
        trailers_(kFieldWords * settings_.options.limits.trailersMax) {
    beginHead();
  }
  ResponseStream(const ResponseStream&) = delete;
  ResponseStream& operator=(const ResponseStream&) = delete;

  // One receive.
  void feed(const uint8_t* bytes, size_t length) {
    const uint8_t* at = bytes;
    const uint8_t* const end = bytes + length;
    while (at < end || (state_ == State::kBody && !waiting_)) {
      waiting_ = false;
      switch (state_) {
        case State::kHead:
          at = takeHead(at, end);
          break;
        case State::kBody:
          at = takeBody(at, end);
          break;
        case State::kTrailers:
          at = takeTrailers(at, end);
          break;
        case State::kUntilClose:
          body_.append(reinterpret_cast<const char*>(at), static_cast<size_t>(end - at));
          return;
        case State::kOver:
          unread_ += static_cast<size_t>(end - at);
          return;
        case State::kFailed:
          return;
      }
    }
  }

  // The server will send nothing more.
  std::string finish() {
    flushBody();
    events_ += "eof " + std::to_string(static_cast<int>(state_)) + " unread " +
               std::to_string(unread_) + "\n";
    return std::move(events_);
  }

 private:
  enum class State { kHead, kBody, kTrailers, kUntilClose, kOver, kFailed };

  void beginHead() {
    state_ = State::kHead;
    gathered_.clear();
    head_.begin(record_.data(), static_cast<uint32_t>(record_.size()));
  }

  // As the head of a request in request_stream.h: a copy of the right size, which moves.
  template <typename Feed, typename Done>
  const uint8_t* takeRegion(const uint8_t* at, const uint8_t* end, Feed feedParser, Done done) {
    std::vector<uint8_t> region(gathered_);
    region.insert(region.end(), at, end);
    const size_t before = gathered_.size();
    const HeadResult result = feedParser(region.data(), static_cast<uint32_t>(region.size()));
    if (result.step == Step::kDone) {
      gathered_.clear();
      done(region.data());
      return at + (result.offset - before);
    }
    if (result.step == Step::kError) {
      fail(result.error);
    } else {
      gathered_ = std::move(region);
    }
    return end;
  }

  const uint8_t* takeHead(const uint8_t* at, const uint8_t* end) {
    return takeRegion(
        at, end,
        [this](const uint8_t* region, uint32_t length) {
          const HeadResult result = head_.feed(region, length);
          if (result.step == Step::kNeedMore) {
            std::vector<uint32_t> other(record_.size(), 0xdeadbeef);
            head_.relocate(other.data());
            record_ = std::move(other);
          }
          return result;
        },
        [this](const uint8_t* region) { headDone(region); });
  }

  void headDone(const uint8_t* region) {
    const HttpError error =
        applyResponseFraming(region, record_.data(), settings_.asked, settings_.options);
    if (error != HttpError::kNone) {
      fail(error);
      return;
    }
    const RecordView view(record_.data());
    const uint32_t status = record_[kRecordStatus];
    events_ += "response " + std::to_string(status) + " flags " +
               std::to_string(record_[kRecordFlags]) + " length " +
               std::to_string(view.contentLength()) + "\n";
    const uint32_t* field = record_.data() + kRecordHeaders;
    appendFields(region, field, view.headerCount());
    if (view.has(kFlagUpgrade)) {
      state_ = State::kOver;
    } else if (!view.has(kFlagHasBody)) {
      messageDone(status >= 200);
    } else if (view.has(kFlagUntilClose)) {
      state_ = State::kUntilClose;
    } else {
      decoder_.begin(record_.data(), settings_.options);
      state_ = State::kBody;
    }
  }

  const uint8_t* takeBody(const uint8_t* at, const uint8_t* end) {
    const BodyStep step = decoder_.next(at, static_cast<uint32_t>(end - at));
    switch (step.kind) {
      case BodyStepKind::kData:
        body_.append(reinterpret_cast<const char*>(at) + step.offset, step.length);
        break;
      case BodyStepKind::kNeedMore:
        waiting_ = true;
        break;
      case BodyStepKind::kTrailers:
        state_ = State::kTrailers;
        trailerParser_.begin(trailers_.data(), settings_.options.limits.trailersMax);
        break;
      case BodyStepKind::kEnd:
        messageDone(true);
        break;
      case BodyStepKind::kError:
        fail(step.error);
        break;
    }
    return at + step.consumed;
  }

  const uint8_t* takeTrailers(const uint8_t* at, const uint8_t* end) {
    return takeRegion(
        at, end,
        [this](const uint8_t* region, uint32_t length) {
          return trailerParser_.feed(region, length);
        },
        [this](const uint8_t* region) {
          appendFields(region, trailers_.data(), trailerParser_.count());
          messageDone(true);
        });
  }

  void messageDone(bool isFinal) {
    flushBody();
    events_ += "end\n";
    const bool keepAlive = RecordView(record_.data()).has(kFlagKeepAlive);
    beginHead();
    if (isFinal && !keepAlive) state_ = State::kOver;
  }

  void fail(HttpError error) {
    flushBody();
    state_ = State::kFailed;
    events_ += "error " + std::to_string(static_cast<int>(error)) + "\n";
  }

  void flushBody() {
    if (!body_.empty()) events_ += "body " + body_ + "\n";
    body_.clear();
  }

  void appendFields(const uint8_t* region, const uint32_t* field, uint32_t count) {
    for (uint32_t i = 0; i < count; i++, field += kFieldWords) {
      const auto text = [&](uint32_t offset, uint32_t length) {
        return std::string(reinterpret_cast<const char*>(region) + offset, length);
      };
      events_ += text(field[kFieldNameOffset], field[kFieldNameLengthAndId] & kFieldLengthMask) +
                 ": " + text(field[kFieldValueOffset], field[kFieldValueLength]) + "\n";
    }
  }

  const ResponseSettings settings_;
  ResponseParser head_;
  TrailerParser trailerParser_;
  BodyDecoder decoder_;
  std::vector<uint32_t> record_;
  std::vector<uint32_t> trailers_;
  std::vector<uint8_t> gathered_;
  std::string body_;
  std::string events_;
  State state_ = State::kHead;
  bool waiting_ = false;  // the body decoder has seen all there is
  size_t unread_ = 0;     // bytes behind a tunnel or the last response
};

// `next(left)` says how many bytes the next receive has.
template <typename Next>
std::string runResponses(const ResponseSettings& settings, std::string_view input, Next next) {
  ResponseStream stream(settings);
  for (size_t at = 0; at < input.size();) {
    const size_t size = std::clamp<size_t>(next(input.size() - at), 1, input.size() - at);
    const std::vector<uint8_t> piece(input.begin() + static_cast<std::ptrdiff_t>(at),
                                     input.begin() + static_cast<std::ptrdiff_t>(at + size));
    stream.feed(piece.data(), piece.size());
    at += size;
  }
  return stream.finish();
}

}  // namespace ringpoll::http::testing
