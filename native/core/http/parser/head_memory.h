// The last head of a connection, because clients repeat themselves: the same bytes mean the same
// again, and so does the same header section behind another request line. One comparison then
// stands in the place of parsing. A head that was refused is never remembered, and what is recalled
// was accepted under the same options, so nothing passes here that the parser would refuse.
//
//   | request line CRLF | header section, empty line |
//   0                   sectionStart                 length
//
// The first head of a connection is not remembered: many connections have no second one. After
// kRepeatMissesMax heads in a row that were not repeated, nothing is remembered any more.
#pragma once

#include <cstdint>
#include <memory>

namespace ringpoll::http {

inline constexpr uint32_t kRepeatedHeadBytesMax = 1024;  // longer heads are parsed each time
inline constexpr uint32_t kRepeatedHeadersMax = 32;      // and so are those with more headers
inline constexpr uint32_t kRepeatMissesMax = 8;

class HeadMemory {
 public:
  bool remembers() const { return length_ != 0; }
  // Whether the region begins with the remembered head. Then `record` is complete. Returns the
  // length of the head, or 0.
  uint32_t recall(const uint8_t* region, uint32_t length, uint32_t* record);
  // The same for the header section alone: `record` has the method, the target, which is in origin
  // form, and the flags of the version. Both heads must agree in method and version.
  uint32_t recallSection(const uint8_t* region, uint32_t sectionStart, uint32_t length,
                         uint32_t* record);
  // `record` is that of an accepted head, which the parser had to look at. It is told in the record
  // whether the head is remembered from here on: heads with the same number in kRecordMemory have
  // the same header section.
  void remember(const uint8_t* head, uint32_t* record, uint32_t sectionStart);

 private:
  const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(words_.get() + count_); }
  void forget();
  void store(const uint8_t* head, const uint32_t* record, uint32_t sectionStart);

  std::unique_ptr<uint32_t[]> words_;  // the record, and behind it the bytes
  uint32_t capacity_ = 0;              // in words
  uint32_t count_ = 0;                 // words of the record
  uint32_t length_ = 0;                // bytes of the head; 0: none is remembered
  uint32_t sectionStart_ = 0;
  uint32_t number_ = 0;  // of the remembered head, among those of the connection
  bool begun_ = false;   // the first head has come
  uint8_t misses_ = 0;
};

}  // namespace ringpoll::http
