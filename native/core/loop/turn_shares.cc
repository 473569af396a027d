#include "turn_shares.h"

#include <algorithm>

namespace ringpoll {

// The write that uses a share up is not told, the next one is: a single large one needs no drain.
void TurnShares::use(Channel& channel, uint64_t bytes) {
  const bool isUsed = channel.shareBytes >= kConnectionShareBytes || usedBytes_ >= kTurnShareBytes;
  if (channel.shareBytes == 0) sharers_.push_back(channel.token());
  const uint64_t used = std::min<uint64_t>(channel.shareBytes + bytes, kTurnShareBytes);
  channel.shareBytes = static_cast<uint32_t>(used);
  usedBytes_ += bytes;
  if (isUsed) end(channel);
}

void TurnShares::end(Channel& channel) {
  if (channel.shareBytes == 0) {
    channel.shareBytes = 1;
    sharers_.push_back(channel.token());
  }
  if (channel.flags & kShareUsed) return;
  channel.flags |= kShareUsed;
  pending_[channel.slot] += kPendingHeld;
}

void TurnShares::renew() {
  for (const Token token : sharers_) {
    Channel* channel = state_.channels.find(token);
    if (channel == nullptr) continue;
    channel->shareBytes = 0;
    if (!(channel->flags & kShareUsed)) continue;
    channel->flags &= ~kShareUsed;
    pending_[channel->slot] -= kPendingHeld;
    if (channel->state == ChannelState::kOpen) wakeWriter(*channel);
  }
  sharers_.clear();
  usedBytes_ = 0;
}

void TurnShares::wakeWriter(Channel& channel) {
  if (!(channel.flags & kDrainWanted)) return;
  if (!(pending_[channel.slot] <= static_cast<double>(channel.drainBelow))) return;
  channel.flags &= ~kDrainWanted;
  state_.liveness.review(channel);
  drained_.push_back(channel.token());
}

void TurnShares::pushDrains() {
  const size_t count = std::min<size_t>(drained_.size(), kDrainsPerTurnMax);
  for (size_t i = 0; i < count; ++i) {
    const Channel* channel = state_.channels.find(drained_[i]);
    if (channel == nullptr || channel->state != ChannelState::kOpen) continue;
    state_.events.push(EventKind::kDrain, *channel);
  }
  drained_.erase(drained_.begin(), drained_.begin() + static_cast<ptrdiff_t>(count));
}

}  // namespace ringpoll
