// Writes events for JavaScript into the event ring. While JavaScript walks the ring, and when it is
// full, events wait in a list of their own and keep their order.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/channel/channel.h"
#include "shared_rings.h"

namespace ringpoll {

class EventWriter {
 public:
  explicit EventWriter(SharedRings rings) : rings_(rings) {}

  void push(EventKind kind, const Channel& channel, int32_t result = 0, uint32_t aux0 = 0,
            uint32_t offset = 0, uint32_t length = 0) {
    int32_t* record = next();
    record[0] = static_cast<int32_t>(kind);
    record[1] = static_cast<int32_t>(channel.slot);
    record[2] = static_cast<int32_t>(channel.generation);
    record[3] = result;
    record[4] = static_cast<int32_t>(offset);
    record[5] = static_cast<int32_t>(length);
    record[6] = static_cast<int32_t>(aux0);
    record[7] = static_cast<int32_t>(channel.endpoint);
  }

  // An event of an operation on a file, which belongs to no channel.
  void pushFile(EventKind kind, uint32_t id, int32_t result, uint32_t offset, uint32_t slab,
                uint32_t block) {
    int32_t* record = next();
    record[0] = static_cast<int32_t>(kind);
    record[1] = static_cast<int32_t>(id);
    record[2] = 0;
    record[3] = result;
    record[4] = static_cast<int32_t>(offset);
    record[5] = static_cast<int32_t>(slab);
    record[6] = static_cast<int32_t>(block);
    record[7] = 0;
  }

  // Data of the channel that JavaScript will see in a later delivery.
  template <typename Visit>
  void forEachWaitingData(const Channel& channel, Visit&& visit) const {
    for (const Record& record : waiting_) {
      const int32_t* words = record.words;
      if (words[0] != static_cast<int32_t>(EventKind::kData)) continue;
      if (words[1] != static_cast<int32_t>(channel.slot)) continue;
      if (words[2] != static_cast<int32_t>(channel.generation)) continue;
      visit(static_cast<BlockId>(words[6]), static_cast<uint32_t>(words[4]),
            static_cast<uint32_t>(words[5]));
    }
  }

  bool empty() const { return count_ == 0 && waiting_.empty(); }
  // No more events of this turn: what comes now, while JavaScript runs, is the next turn's.
  void endOfTurn() { ofTurn_ = waiting_.size(); }
  // Events of the turn that did not fit. They must be delivered before it ends: they name its
  // blocks.
  bool overflowing() const { return ofTurn_ > 0; }

  // From here until endDelivery() the ring belongs to JavaScript. Returns the number of events.
  uint32_t beginDelivery() {
    size_t moved = 0;
    while (moved < waiting_.size() && count_ < kEventCapacity) {
      std::memcpy(rings_.events + count_++ * kRecordWords, waiting_[moved++].words, sizeof(Record));
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(moved));
    ofTurn_ -= std::min(moved, ofTurn_);
    rings_.control[kEventCount] = static_cast<int32_t>(count_);
    delivering_ = true;
    return count_;
  }
  void endDelivery() {
    delivering_ = false;
    count_ = 0;
    rings_.control[kEventCount] = 0;
  }

 private:
  struct Record {
    int32_t words[kRecordWords];
  };

  int32_t* next() {
    if (!delivering_ && waiting_.empty() && count_ < kEventCapacity) {
      return rings_.events + count_++ * kRecordWords;
    }
    waiting_.emplace_back();
    return waiting_.back().words;
  }

  SharedRings rings_;
  uint32_t count_ = 0;
  bool delivering_ = false;
  std::vector<Record> waiting_;
  size_t ofTurn_ = 0;  // how many of these, from the front
};

}  // namespace ringpoll
