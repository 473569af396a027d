// Parses the head of an HTTP/1.1 response: status line, headers, empty line. The contract is that
// of HeadParser; `error` of its result may be a ResponseError.
#pragma once

#include <cstdint>

#include "field_section.h"
#include "options.h"
#include "record.h"
#include "request_parser.h"
#include "response_errors.h"

namespace ringpoll::http {

class ResponseParser {
 public:
  // `options` must outlive the parser.
  explicit ResponseParser(const Options& options) : options_(&options) {}

  void begin(uint32_t* record, uint32_t recordCapacity);
  HeadResult feed(const uint8_t* head, uint32_t length);
  void relocate(uint32_t* record);

 private:
  //   kVersion --> kStatus --> kReason --> kLineFeed --> kFields --> kDone
  //                   (any error is final: kFailed)
  enum class State : uint8_t {
    kVersion,
    kStatus,
    kReason,
    kLineFeed,
    kFields,
    kDone,
    kFailed,
  };

  HeadResult statusLine(const uint8_t* head, uint32_t end);
  HeadResult beginFields(uint32_t position);
  HeadResult finish();
  HeadResult fail(HttpError error, uint32_t offset);

  const Options* options_;
  uint32_t* record_ = nullptr;
  State state_ = State::kVersion;
  HttpError error_ = HttpError::kNone;
  uint32_t fieldsMax_ = 0;
  uint32_t position_ = 0;
  FieldSection<FastScan> fields_;
};

// What the request was, as far as it decides how long its response is.
struct AskedFor {
  bool head = false;     // HEAD: there is no body, whatever the headers say
  bool connect = false;  // CONNECT: 2xx opens a tunnel
};

// Fills in the flags and the content length of a complete head (RFC 9112 section 6.3). A response
// that two parsers could read in two ways is an error.
HttpError applyResponseFraming(const uint8_t* head, uint32_t* record, AskedFor asked,
                               const Options& options);

}  // namespace ringpoll::http
