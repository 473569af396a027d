// Parses the trailer section behind the last chunk: the same contract as HeadParser, but it starts
// with the first trailer, and the record is the bare table of fields (kFieldWords each).
#pragma once

#include <cstdint>

#include "errors.h"
#include "field_section.h"
#include "options.h"
#include "request_parser.h"

namespace ringpoll::http {

class TrailerParser {
 public:
  // `options` must outlive the parser.
  explicit TrailerParser(const Options& options) : options_(&options) {}

  // `fields` has room for fieldsCapacity entries; the smaller one of it and trailersMax limits.
  void begin(uint32_t* fields, uint32_t fieldsCapacity);

  // All bytes received since the one that BodyDecoder said kTrailers at.
  HeadResult feed(const uint8_t* region, uint32_t length);

  uint32_t count() const { return section_.count(); }

 private:
  HeadResult fail(HttpError error, uint32_t offset);

  const Options* options_;
  uint32_t* fields_ = nullptr;
  uint32_t fieldsMax_ = 0;
  HttpError error_ = HttpError::kNone;
  uint32_t errorOffset_ = 0;
  FieldSection<FastScan> section_;
};

}  // namespace ringpoll::http
