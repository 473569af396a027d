#include "head_memory.h"

#include <cstring>
#include <new>

#include "record.h"

namespace ringpoll::http {

uint32_t HeadMemory::recall(const uint8_t* region, uint32_t length, uint32_t* record) {
  if (!remembers() || length < length_ || std::memcmp(region, bytes(), length_) != 0) return 0;
  std::memcpy(record, words_.get(), count_ * sizeof(uint32_t));
  record[kRecordMemory] = number_;
  record[kRecordSameHead] = 1;
  misses_ = 0;
  return length_;
}

uint32_t HeadMemory::recallSection(const uint8_t* region, uint32_t sectionStart, uint32_t length,
                                   uint32_t* record) {
  if (!remembers()) return 0;
  const uint32_t* const known = words_.get();
  const uint32_t sectionBytes = length_ - sectionStart_;
  if (length - sectionStart < sectionBytes) return 0;
  constexpr uint32_t kCompared = kFlagVersion11 | kFlagTargetMask;
  const bool alike = known[kRecordMethod] == record[kRecordMethod] &&
                     (known[kRecordFlags] & kCompared) == record[kRecordFlags];
  if (!alike) return 0;
  if (std::memcmp(region + sectionStart, bytes() + sectionStart_, sectionBytes) != 0) return 0;
  record[kRecordHeadLength] = sectionStart + sectionBytes;
  for (const uint32_t word :
       {kRecordFlags, kRecordContentLengthLow, kRecordContentLengthHigh, kRecordKnownLow,
        kRecordKnownHigh, kRecordHeaderCount, kRecordHostIndex}) {
    record[word] = known[word];
  }
  const uint32_t moved = sectionStart - sectionStart_;  // modulo 2^32
  for (uint32_t at = kRecordHeaders; at < count_; at += kFieldWords) {
    record[at + kFieldNameOffset] = known[at + kFieldNameOffset] + moved;
    record[at + kFieldNameLengthAndId] = known[at + kFieldNameLengthAndId];
    record[at + kFieldValueOffset] = known[at + kFieldValueOffset] + moved;
    record[at + kFieldValueLength] = known[at + kFieldValueLength];
  }
  record[kRecordMemory] = number_;
  record[kRecordSameHead] = 0;
  misses_ = 0;
  return sectionStart + sectionBytes;
}

void HeadMemory::remember(const uint8_t* head, uint32_t* record, uint32_t sectionStart) {
  store(head, record, sectionStart);
  record[kRecordMemory] = length_ == 0 ? 0 : number_;
  record[kRecordSameHead] = 0;
}

void HeadMemory::store(const uint8_t* head, const uint32_t* record, uint32_t sectionStart) {
  if (!begun_ || misses_ >= kRepeatMissesMax) {
    begun_ = true;
    return;
  }
  const uint32_t length = record[kRecordHeadLength];
  const uint32_t headers = record[kRecordHeaderCount];
  if (++misses_ >= kRepeatMissesMax) {
    forget();
    return;
  }
  length_ = 0;
  if (length > kRepeatedHeadBytesMax || headers > kRepeatedHeadersMax) return;
  count_ = recordWords(headers);
  const uint32_t needed = count_ + (length + sizeof(uint32_t) - 1) / sizeof(uint32_t);
  if (needed > capacity_) {
    words_.reset(new (std::nothrow) uint32_t[needed]);
    capacity_ = words_ == nullptr ? 0 : needed;
    if (words_ == nullptr) return;
  }
  std::memcpy(words_.get(), record, count_ * sizeof(uint32_t));
  std::memcpy(words_.get() + count_, head, length);
  length_ = length;
  sectionStart_ = sectionStart;
  if (++number_ == 0) number_ = 1;
}

void HeadMemory::forget() {
  words_.reset();
  capacity_ = length_ = 0;
}

}  // namespace ringpoll::http
