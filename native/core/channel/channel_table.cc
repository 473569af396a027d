#include "channel_table.h"

#include "core/base/assert.h"

namespace ringpoll {

Channel* ChannelTable::open(ChannelType type, int fd) {
  if (free_.empty()) {
    if (capacity_ >= kChannelsMax) return nullptr;
    pages_.push_back(std::make_unique<Channel[]>(kChannelsPerPage));
    free_.reserve(capacity_ + kChannelsPerPage);
    for (uint32_t i = kChannelsPerPage; i-- > 0;) free_.push_back(capacity_ + i);
    capacity_ += kChannelsPerPage;
  }
  const uint32_t slot = free_.back();
  free_.pop_back();
  Channel& channel = at(slot);
  RP_ASSERT(channel.type == ChannelType::kFree && !channel.timer.armed());
  const uint32_t generation = channel.generation;
  channel = Channel{};
  channel.fd = fd;
  channel.slot = slot;
  channel.generation = generation;
  channel.type = type;
  channel.state = ChannelState::kOpen;
  ++used_;
  return &channel;
}

void ChannelTable::release(Channel& channel) {
  RP_ASSERT(channel.type != ChannelType::kFree);
  RP_ASSERT(channel.inKernel == 0 && channel.sends.empty() && !channel.timer.armed());
  channel.type = ChannelType::kFree;
  channel.state = ChannelState::kFree;
  channel.generation = (channel.generation + 1) & kGenerationMask;
  retired_.push_back(channel.slot);
  --used_;
}

}  // namespace ringpoll
