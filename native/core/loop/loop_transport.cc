// What protocols ask of the loop.
#include "core/base/assert.h"
#include "loop.h"

namespace ringpoll {

void Loop::queueBytes(Channel& channel, BlockId block, uint32_t offset, uint32_t length) {
  pending_[channel.slot] += length;
  queues_.push(channel.sends, block, offset, length, false);
  markDirty(channel);
}

void Loop::endWhenSent(Channel& channel) {
  channel.flags |= kWriteEnding;
  markDirty(channel);
}

void Loop::closeWhenSent(Channel& channel) {
  channel.flags |= kCloseWhenSent;
  engineOf(channel).pauseReceive(channel);
  markDirty(channel);
}

void Loop::pauseReading(Channel& channel, bool paused) {
  if (paused) {
    channel.flags |= kProtocolPaused;
    if (!(channel.flags & kReadEnded)) engineOf(channel).pauseReceive(channel);
  } else {
    channel.flags &= ~kProtocolPaused;
    if (channel.state == ChannelState::kOpen) receiveIfWanted(channel);
  }
}

void Loop::armTimer(Channel& channel, uint64_t delayMs) {
  if (channel.idleTimeoutMs == 0) timers_.arm(channel.timer, nowMs_, delayMs);
}

ReceivedBytes Loop::staged(int32_t slabOffset, uint32_t length) {
  RP_ASSERT(staging_ != kNoBlock);
  const uint32_t offset = static_cast<uint32_t>(slabOffset) - arena_.slabOffset(staging_);
  RP_ASSERT(arena_.contains(staging_, offset, length));
  return {staging_, offset, length};
}

}  // namespace ringpoll
