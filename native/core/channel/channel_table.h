// Channels by slot. A slot is reused under a new generation, so a stale name finds nothing.
// Channels never move: pages are allocated and kept.
#pragma once

#include <memory>
#include <vector>

#include "channel.h"

namespace ringpoll {

class ChannelTable {
 public:
  // A new channel, or nullptr at kChannelsMax.
  Channel* open(ChannelType type, int fd);
  // Ends the name of the channel: from now on its token finds nothing. The slot itself is not used
  // again before reclaim(), so that JavaScript hears of the end before it sees a new beginning.
  void release(Channel& channel);
  void reclaim() {
    free_.insert(free_.end(), retired_.begin(), retired_.end());
    retired_.clear();
  }

  // nullptr when the generation is over.
  Channel* find(uint32_t slot, uint32_t generation) {
    if (slot >= capacity_) return nullptr;
    Channel& channel = at(slot);
    return channel.generation == generation && channel.type != ChannelType::kFree ? &channel
                                                                                  : nullptr;
  }
  Channel* find(Token token) { return find(slotOf(token), generationOf(token)); }

  uint32_t capacity() const { return capacity_; }  // slots that exist
  uint32_t used() const { return used_; }

  template <typename Visit>
  void forEach(Visit&& visit) {
    forEach(0, capacity_, visit);
  }
  // Of `slots` slots from slot `from` on. Answers the slot to go on from, or 0: that was the last.
  template <typename Visit>
  uint32_t forEach(uint32_t from, uint32_t slots, Visit&& visit) {
    const uint32_t end = from > capacity_ || slots > capacity_ - from ? capacity_ : from + slots;
    for (uint32_t slot = from; slot < end; ++slot) {
      if (at(slot).type != ChannelType::kFree) visit(at(slot));
    }
    return end < capacity_ ? end : 0;
  }

 private:
  Channel& at(uint32_t slot) { return pages_[slot / kChannelsPerPage][slot % kChannelsPerPage]; }

  std::vector<std::unique_ptr<Channel[]>> pages_;
  std::vector<uint32_t> free_;
  std::vector<uint32_t> retired_;
  uint32_t capacity_ = 0;
  uint32_t used_ = 0;
};

}  // namespace ringpoll
