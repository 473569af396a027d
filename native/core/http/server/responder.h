// Puts responses together: a head that is kept ready, what is different in this one, and the body,
// as bytes for a send queue.
//
//   template, Date stamped once a second | Content-Length: 13 | further fields | empty line | body
//
// The bytes of one flush lie one behind the other, so that the responses to pipelined requests are
// one view. When the flush is over they have left, or somebody keeps their block.
#pragma once

#include <string>
#include <string_view>

#include "core/http/parser/http_date.h"
#include "core/memory/scratch_block.h"

namespace ringpoll::http {

// The beginning of a head, which many responses share.
class HeadTemplate {
 public:
  static constexpr uint32_t kNoDate = UINT32_MAX;

  // At `dateOffset` there is room for the Date header's value.
  explicit HeadTemplate(std::string text, uint32_t dateOffset)
      : text_(std::move(text)), dateOffset_(dateOffset) {}

  bool valid() const {
    return dateOffset_ == kNoDate ||
           (text_.size() >= kDateBytes && dateOffset_ <= text_.size() - kDateBytes);
  }
  const std::string& text(const HttpDate& date) {
    if (stamped_ != date.seconds()) stamp(date);
    return text_;
  }

 private:
  void stamp(const HttpDate& date) {
    stamped_ = date.seconds();
    if (dateOffset_ != kNoDate) text_.replace(dateOffset_, kDateBytes, date.text(), kDateBytes);
  }

  std::string text_;
  uint32_t dateOffset_;
  std::time_t stamped_ = -1;
};

struct ResponseParts {
  std::string_view fields;     // whole lines
  std::string_view body;       // copied behind the head
  int64_t contentLength = -1;  // -1: no such header
};

class Responder {
 public:
  struct Bytes {
    BlockId block = kNoBlock;
    uint32_t offset = 0;
    uint32_t length = 0;
  };

  explicit Responder(Arena& arena) : bytes_(arena) {}

  // False: no memory.
  bool compose(HeadTemplate& head, const ResponseParts& parts, Bytes* out);
  // A head that lacks nothing, and its body.
  bool composeWhole(HeadTemplate& head, std::string_view body, Bytes* out);
  // Everything that was composed has left, or its block has further references.
  void endFlush();

 private:
  char* room(uint32_t bytes, Bytes* out);
  const std::string& textOf(HeadTemplate& head);

  ScratchBlock bytes_;
  HttpDate date_;
  bool dateIsFresh_ = false;
};

}  // namespace ringpoll::http
