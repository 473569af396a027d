// What keeps a writer that never waits for anything else from holding the loop. JavaScript may make
// its writes leave before its turn is over: when much is pending, or a ring or a block is full. A
// peer that reads as fast would let it go on for ever, and promises alone would drive it. So each
// connection has a share of a turn, and all together have one. What has used it up counts as full
// until the next turn, whatever the kernel takes; and drain events, which let writers go on, are
// written in turn() only, and so many at most.
#include <algorithm>

#include "core/base/assert.h"
#include "loop.h"

namespace ringpoll {

void Loop::flushNow() {
  const EarlySends early(*this);
  flush();
}

double Loop::waitingBytes(const Channel& channel) const {
  return pending_[channel.slot] - (channel.flags & kShareUsed ? kPendingHeld : 0);
}

// The write that uses a share up is not told, the next one is: a single large one needs no drain.
void Loop::useShare(Channel& channel, uint64_t bytes) {
  const bool isUsed =
      channel.shareBytes >= kConnectionShareBytes || shareBytes_ >= kTurnShareBytes;
  if (channel.shareBytes == 0) sharers_.push_back(channel.token());
  const uint64_t used = std::min<uint64_t>(channel.shareBytes + bytes, kTurnShareBytes);
  channel.shareBytes = static_cast<uint32_t>(used);
  shareBytes_ += bytes;
  if (isUsed) endShare(channel);
}

void Loop::endShare(Channel& channel) {
  if (channel.shareBytes == 0) {
    channel.shareBytes = 1;
    sharers_.push_back(channel.token());
  }
  if (channel.flags & kShareUsed) return;
  channel.flags |= kShareUsed;
  pending_[channel.slot] += kPendingHeld;
}

void Loop::renewShares() {
  for (const Token token : sharers_) {
    Channel* channel = channels_.find(token);
    if (channel == nullptr) continue;
    channel->shareBytes = 0;
    if (!(channel->flags & kShareUsed)) continue;
    channel->flags &= ~kShareUsed;
    pending_[channel->slot] -= kPendingHeld;
    if (channel->state == ChannelState::kOpen) wakeWriter(*channel);
  }
  sharers_.clear();
  shareBytes_ = 0;
}

// Whoever waits for room hears of it in this turn, or when those before it have.
void Loop::wakeWriter(Channel& channel) {
  if (!(channel.flags & kDrainWanted)) return;
  if (!(pending_[channel.slot] <= static_cast<double>(channel.drainBelow))) return;
  channel.flags &= ~kDrainWanted;
  drained_.push_back(channel.token());
}

void Loop::pushDrains() {
  const size_t count = std::min<size_t>(drained_.size(), kDrainsPerTurnMax);
  for (size_t i = 0; i < count; ++i) {
    const Channel* channel = channels_.find(drained_[i]);
    if (channel == nullptr || channel->state != ChannelState::kOpen) continue;
    events_.push(EventKind::kDrain, *channel);
  }
  drained_.erase(drained_.begin(), drained_.begin() + static_cast<ptrdiff_t>(count));
}

}  // namespace ringpoll
