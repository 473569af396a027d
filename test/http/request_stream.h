// Puts the parsers together as a connection of a server does, and writes down what came out:
// head, body, trailers, next request. The driver, the fuzzer and the unit tests share it.
//
// It is also the shortest complete example of how the parsers are used: a head that arrives whole
// is parsed where it lies, one that is split is gathered.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "core/http/parser/body_decoder.h"
#include "core/http/parser/request_parser.h"
#include "core/http/parser/trailer_parser.h"

namespace ringpoll::http::testing {

struct StreamSettings {
  Options options;
  bool acceptUpgrade = true;  // otherwise Upgrade is ignored, as a server may; CONNECT is not
};

inline void appendJson(std::string& out, const uint8_t* bytes, size_t length) {
  out += '"';
  for (size_t i = 0; i < length; i++) {
    const uint8_t c = bytes[i];
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
      out += static_cast<char>(c);
    } else {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
      out += escaped;
    }
  }
  out += '"';
}

// Feeds are remembered as one line of JSON per event; bytes become the characters U+0000..U+00FF.
template <typename Parser>
class RequestStream {
 public:
  // `memory`: that of the connection, or null for a parser without one.
  explicit RequestStream(const StreamSettings& settings, HeadMemory* memory = nullptr)
      : settings_(settings),
        head_(memory == nullptr ? Parser(settings_.options) : Parser(settings_.options, *memory)),
        trailerParser_(settings_.options),
        record_(recordWords(settings_.options.limits.headersMax)),
        trailers_(kFieldWords * settings_.options.limits.trailersMax) {
    beginHead();
  }
  RequestStream(const RequestStream&) = delete;
  RequestStream& operator=(const RequestStream&) = delete;

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
        case State::kUpgraded:
        case State::kClosed:
          unread_ += static_cast<size_t>(end - at);
          return;
        case State::kFailed:
          return;
      }
    }
  }

  // The peer will send nothing more.
  std::string finish() {
    flushBody();
    static constexpr const char* kNames[] = {"head",     "body",   "trailers",
                                             "upgraded", "closed", "failed"};
    const bool idle = state_ == State::kHead && !head_.started();
    events_ += std::string(R"({"event":"eof","state":")") +
               (idle ? "idle" : kNames[static_cast<int>(state_)]) + R"(","unread":)" +
               std::to_string(unread_) + "}\n";
    return std::move(events_);
  }

 private:
  enum class State { kHead, kBody, kTrailers, kUpgraded, kClosed, kFailed };

  void beginHead() {
    state_ = State::kHead;
    gathered_.clear();
    head_.begin(record_.data(), static_cast<uint32_t>(record_.size()));
  }

  // Feeds a parser of a contiguous region: from `at` directly, or gathered. Returns where the
  // bytes behind the region start.
  template <typename Feed, typename Done>
  const uint8_t* takeRegion(const uint8_t* at, const uint8_t* end, Feed feedParser, Done done) {
    // Always a copy of exactly the right size: reading outside of the region is then an error that
    // a sanitizer sees, and a region that moves between two feeds is the rule.
    std::vector<uint8_t> region(gathered_);
    region.insert(region.end(), at, end);
    const size_t before = gathered_.size();
    const HeadResult result = feedParser(region.data(), static_cast<uint32_t>(region.size()));
    switch (result.step) {
      case Step::kNeedMore:
        gathered_ = std::move(region);
        return end;
      case Step::kError:
        fail(result.error, offset_ + result.offset);
        return end;
      case Step::kDone:
        offset_ += result.offset;
        gathered_.clear();
        done(region.data());
        return at + (result.offset - before);
    }
    return end;
  }

  const uint8_t* takeHead(const uint8_t* at, const uint8_t* end) {
    return takeRegion(
        at, end,
        [this](const uint8_t* region, uint32_t length) {
          const HeadResult result = head_.feed(region, length);
          if (result.step == Step::kNeedMore) moveRecord();
          return result;
        },
        [this](const uint8_t* region) { headDone(region); });
  }

  // The record of a head that is not complete has to survive the turn somewhere else.
  void moveRecord() {
    std::vector<uint32_t> other(record_.size(), 0xdeadbeef);
    head_.relocate(other.data());
    record_ = std::move(other);
  }

  void headDone(const uint8_t* region) {
    const RecordView view(record_.data());
    events_ += R"({"event":"request","method":)";
    appendJson(events_, region + record_[kRecordMethodOffset], record_[kRecordMethodLength]);
    events_ += R"(,"target":)";
    appendJson(events_, region + record_[kRecordTargetOffset], record_[kRecordTargetLength]);
    events_ += R"(,"headers":)";
    appendFields(region, record_.data() + kRecordHeaders, view.headerCount());
    const uint32_t query = record_[kRecordQueryOffset];
    appendNumbers({{"methodId", record_[kRecordMethod]},
                   {"flags", record_[kRecordFlags]},
                   {"contentLength", view.contentLength()},
                   {"query", query == 0 ? 0 : query - record_[kRecordTargetOffset]},
                   {"known", record_[kRecordKnownLow] | uint64_t{record_[kRecordKnownHigh]} << 32},
                   {"host", record_[kRecordHostIndex]}});
    decoder_.begin(record_.data(), settings_.options);
    state_ = State::kBody;
    waiting_ = false;
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
        flushBody();
        state_ = State::kTrailers;
        trailerParser_.begin(trailers_.data(), settings_.options.limits.trailersMax);
        break;
      case BodyStepKind::kEnd:
        messageDone();
        break;
      case BodyStepKind::kError:
        fail(step.error, offset_ + step.offset);
        break;
    }
    offset_ += step.consumed;
    return at + step.consumed;
  }

  const uint8_t* takeTrailers(const uint8_t* at, const uint8_t* end) {
    return takeRegion(
        at, end,
        [this](const uint8_t* region, uint32_t length) {
          return trailerParser_.feed(region, length);
        },
        [this](const uint8_t* region) {
          events_ += R"({"event":"trailers","headers":)";
          appendFields(region, trailers_.data(), trailerParser_.count());
          events_ += "}\n";
          messageDone();
        });
  }

  void messageDone() {
    flushBody();
    events_ += "{\"event\":\"end\"}\n";
    const RecordView view(record_.data());
    const bool connect = view.method() == Method::kConnect;
    const bool upgrade = view.has(kFlagUpgrade) && (settings_.acceptUpgrade || connect);
    const bool keepAlive = view.has(kFlagKeepAlive);
    beginHead();
    if (upgrade) {
      state_ = State::kUpgraded;
    } else if (!keepAlive) {
      state_ = State::kClosed;
    }
  }

  void fail(HttpError error, size_t offset) {
    flushBody();
    state_ = State::kFailed;
    events_ += std::string(R"({"event":"error","code":")") + describe(error).code +
               R"(","status":)" + std::to_string(describe(error).status) + R"(,"offset":)" +
               std::to_string(offset) + "}\n";
  }

  void flushBody() {
    if (body_.empty()) return;
    events_ += R"({"event":"body","bytes":)";
    appendJson(events_, reinterpret_cast<const uint8_t*>(body_.data()), body_.size());
    events_ += "}\n";
    body_.clear();
  }

  void appendFields(const uint8_t* region, const uint32_t* field, uint32_t count) {
    events_ += '[';
    for (uint32_t i = 0; i < count; i++, field += kFieldWords) {
      events_ += i == 0 ? "[" : ",[";
      const uint32_t length = field[kFieldNameLengthAndId] & kFieldLengthMask;
      appendJson(events_, region + field[kFieldNameOffset], length);
      events_ += ',';
      appendJson(events_, region + field[kFieldValueOffset], field[kFieldValueLength]);
      events_ += ',' + std::to_string(field[kFieldNameLengthAndId] >> kFieldIdShift) + ']';
    }
    events_ += ']';
  }

  void appendNumbers(std::initializer_list<std::pair<const char*, uint64_t>> numbers) {
    for (const auto& [name, value] : numbers) {
      events_ += std::string(",\"") + name + "\":" + std::to_string(value);
    }
    events_ += "}\n";
  }

  const StreamSettings settings_;
  Parser head_;
  TrailerParser trailerParser_;
  BodyDecoder decoder_;
  std::vector<uint32_t> record_;
  std::vector<uint32_t> trailers_;
  std::vector<uint8_t> gathered_;
  std::string body_;
  std::string events_;
  State state_ = State::kHead;
  bool waiting_ = false;  // the body decoder has seen all there is
  size_t offset_ = 0;     // in the stream, of the current head, body piece or trailer section
  size_t unread_ = 0;     // bytes behind an upgrade or the last request
};

// How a stream is cut into receives.
enum class Split { kWhole, kBytes, kRandom };

template <typename Parser>
std::string runStream(const StreamSettings& settings, std::string_view input, Split split,
                      uint32_t seed = 0, HeadMemory* memory = nullptr) {
  RequestStream<Parser> stream(settings, memory);
  const auto* bytes = reinterpret_cast<const uint8_t*>(input.data());
  uint32_t random = seed * 2654435761u + 1;
  for (size_t at = 0; at < input.size();) {
    size_t size = input.size() - at;
    if (split == Split::kBytes) size = 1;
    if (split == Split::kRandom) {
      random = random * 1664525u + 1013904223u;
      // Mostly short pieces, sometimes long ones.
      const uint32_t room = random >> 28 == 0 ? 200 : 12;
      size = std::min<size_t>(size, 1 + (random >> 8) % room);
    }
    // An exact copy, for the sanitizers.
    const std::vector<uint8_t> piece(bytes + at, bytes + at + size);
    stream.feed(piece.data(), piece.size());
    at += size;
  }
  return stream.finish();
}

}  // namespace ringpoll::http::testing
