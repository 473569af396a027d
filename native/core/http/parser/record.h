// What the head parser writes: 32-bit words that JavaScript can read as they lie in shared memory.
//
//   word 0                                  16            16 + 4 * header count
//   | head: lengths, method, target, flags | header 0 | header 1 | ... |
//                                            name offset, name length | id << 16,
//                                            value offset, value length
//
// Offsets are bytes from the start of the head. Words are valid once the parser says kDone.
#pragma once

#include <cstdint>

#include "header_names.h"
#include "methods.h"
#include "options.h"

namespace ringpoll::http {

// The numbers are read by JavaScript: append, never reorder.
enum RecordWord : uint32_t {
  kRecordHeadLength,    // bytes up to and including the empty line
  kRecordFlags,         // set of RecordFlag
  kRecordMethod,        // Method; of a response: kRecordStatus
  kRecordMethodOffset,  // over 0 when empty lines came before
  kRecordMethodLength,
  kRecordTargetOffset,
  kRecordTargetLength,
  kRecordQueryOffset,       // of the first '?' in the target, 0 when there is none
  kRecordContentLengthLow,  // 0 with chunked or without a body
  kRecordContentLengthHigh,
  kRecordKnownLow,   // bit i: a header with HeaderId i is there
  kRecordKnownHigh,  // bit i: a header with HeaderId 32 + i is there
  kRecordHeaderCount,
  kRecordHostIndex,  // index of the Host header plus 1, 0 when there is none
  kRecordMemory,     // which remembered head has this header section, see head_memory.h; 0: none
  kRecordSameHead,   // 1: that head has the same request line too
  kRecordHeaders,    // where the table of headers starts
};
static_assert(kRecordHeaders * sizeof(uint32_t) == 64, "the fixed part is one cache line");

// The record of a response's head is the same, but for the words of the request line.
inline constexpr uint32_t kRecordStatus = kRecordMethod;
inline constexpr uint32_t kRecordReasonOffset = kRecordMethodOffset;
inline constexpr uint32_t kRecordReasonLength = kRecordMethodLength;

enum FieldWord : uint32_t {
  kFieldNameOffset,
  kFieldNameLengthAndId,  // length | HeaderId << 16
  kFieldValueOffset,
  kFieldValueLength,  // without the spaces and tabs around it
  kFieldWords,
};
inline constexpr uint32_t kFieldIdShift = 16;
inline constexpr uint32_t kFieldLengthMask = (1u << kFieldIdShift) - 1;
static_assert(kRegionBytesMax <= kFieldLengthMask, "a name's length shares its word");

enum RecordFlag : uint32_t {
  kFlagKeepAlive = 1 << 0,       // the connection may carry another request
  kFlagHasBody = 1 << 1,         // body bytes or chunks follow the head
  kFlagChunked = 1 << 2,         // ... in chunks
  kFlagContentLength = 1 << 3,   // a Content-Length header is there, also if it says 0
  kFlagExpectContinue = 1 << 4,  // the peer waits for 100 before it sends the body
  kFlagUpgrade = 1 << 5,         // CONNECT, or Connection: upgrade with an Upgrade header
  kFlagVersion11 = 1 << 6,       // HTTP/1.1 or a later HTTP/1, otherwise HTTP/1.0
  kFlagUntilClose = 1 << 7,      // of a response: its body ends with the connection
  // Form of the target, two bits.
  kFlagTargetOrigin = 0 << 8,
  kFlagTargetAbsolute = 1 << 8,
  kFlagTargetAuthority = 2 << 8,
  kFlagTargetAsterisk = 3 << 8,
  kFlagTargetMask = 3 << 8,
};

// Words that a record for this many headers takes.
constexpr uint32_t recordWords(uint32_t headersMax) {
  return kRecordHeaders + kFieldWords * headersMax;
}

// A record read from C++.
class RecordView {
 public:
  explicit RecordView(const uint32_t* words) : words_(words) {}

  uint32_t headLength() const { return words_[kRecordHeadLength]; }
  Method method() const { return static_cast<Method>(words_[kRecordMethod]); }
  bool has(RecordFlag flag) const { return (words_[kRecordFlags] & flag) != 0; }
  uint64_t contentLength() const {
    return words_[kRecordContentLengthLow] | uint64_t{words_[kRecordContentLengthHigh]} << 32;
  }
  uint32_t headerCount() const { return words_[kRecordHeaderCount]; }
  const uint32_t* header(uint32_t index) const {
    return words_ + kRecordHeaders + kFieldWords * index;
  }
  // The first header with this id, or null.
  const uint32_t* find(HeaderId id) const {
    if ((words_[kRecordKnownLow + id / 32] >> id % 32 & 1) == 0) return nullptr;
    for (uint32_t i = 0; i < headerCount(); i++) {
      if (header(i)[kFieldNameLengthAndId] >> kFieldIdShift == id) return header(i);
    }
    return nullptr;
  }

 private:
  const uint32_t* words_;
};

}  // namespace ringpoll::http
