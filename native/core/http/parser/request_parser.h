// Parses the head of an HTTP/1.1 request: request line, headers, empty line.
//
//   HeadParser parser(options);
//   parser.begin(record, recordWords(100));       // memory of the caller, 16 + 4 * headers words
//   HeadResult r = parser.feed(head, length);     // all bytes received since the head's first one
//   kNeedMore: receive more, call feed again with the longer region (it may have moved)
//   kDone:     `record` is complete, r.offset bytes belong to the head, the body starts there
//   kError:    r.error, at r.offset; final: answer describe(r.error).status and close
//
// The region must be contiguous and start at the same logical byte each time. No byte is looked at
// twice, so feeding a head byte by byte costs no more than feeding it whole, calls aside. Nothing
// is copied, allocated or read outside of [head, head + length).
#pragma once

#include <cstdint>

#include "errors.h"
#include "field_section.h"
#include "head_memory.h"
#include "options.h"
#include "record.h"
#include "scan.h"

namespace ringpoll::http {

struct HeadResult {
  Step step = Step::kNeedMore;
  HttpError error = HttpError::kNone;
  uint32_t offset = 0;  // kDone: bytes of the head; kError: where it is wrong
};

// `Scan` is FastScan everywhere but in the test that compares the two.
template <typename Scan>
class BasicHeadParser {
 public:
  // `options` must outlive the parser.
  explicit BasicHeadParser(const Options& options) : options_(&options) {}
  // Looks into `memory`, which must outlive the parser, before it looks at a head. It accepts and
  // refuses the same with it and without.
  BasicHeadParser(const Options& options, HeadMemory& memory)
      : options_(&options), memory_(&memory) {}

  // Starts a head. `recordCapacity` in words, at least recordWords(0); the smaller one of it and
  // headersMax limits the headers.
  void begin(uint32_t* record, uint32_t recordCapacity);

  HeadResult feed(const uint8_t* head, uint32_t length);

  // Continues in other memory, of the same capacity: what has been recorded moves along. For a
  // head that ended in kNeedMore and whose record lay where the next turn would overwrite it.
  void relocate(uint32_t* record);

  // False until the first byte of a request line: a peer that leaves now leaves between requests.
  bool started() const { return state_ != State::kLineOrRequest && state_ != State::kLineFeed; }

 private:
  //   kLineOrRequest --> kMethod --> kTarget --> kVersion --> kFields --> kDone
  //     |      ^                        (any error is final: kFailed)
  //     v      |
  //    kLineFeed
  enum class State : uint8_t {
    kLineOrRequest,
    kLineFeed,
    kMethod,
    kTarget,
    kVersion,
    kFields,
    kDone,
    kFailed,
  };

  HeadResult requestLine(const uint8_t* head, uint32_t end);
  bool quickMethod(const uint8_t*& at, const uint8_t* end);
  HeadResult takeMethod(const uint8_t* head, const uint8_t* mark, uint32_t length);
  HeadResult takeVersion(const uint8_t* head, const uint8_t*& at, const uint8_t* end);
  HeadResult fields(const uint8_t* head, uint32_t end);
  bool fresh() const { return state_ == State::kLineOrRequest && position_ == 0; }
  HeadResult recalled(uint32_t length);
  bool mayRecallSection(const uint8_t* head) const;
  bool takesInTarget(uint8_t byte) const;
  HeadResult finish(const uint8_t* head);
  HeadResult needMore(State state, const uint8_t* head, const uint8_t* at);
  HeadResult fail(HttpError error, uint32_t offset);
  void recordMethod(Method method, uint32_t offset, uint32_t length);

  const Options* options_;
  HeadMemory* memory_ = nullptr;
  uint32_t* record_ = nullptr;
  State state_ = State::kLineOrRequest;
  HttpError error_ = HttpError::kNone;
  uint8_t emptyLines_ = 0;
  uint32_t fieldsMax_ = 0;
  uint32_t position_ = 0;  // next byte of the request line to look at; after an error: the culprit
  uint32_t mark_ = 0;      // where the current element started
  uint32_t sectionStart_ = 0;
  FieldSection<Scan> fields_;
};

extern template class BasicHeadParser<FastScan>;
using HeadParser = BasicHeadParser<FastScan>;

#if RINGPOLL_HTTP_VECTORS
extern template class BasicHeadParser<ScalarScan>;
#endif
using ScalarHeadParser = BasicHeadParser<ScalarScan>;

}  // namespace ringpoll::http
