// What protocols and filters ask of the loop.
#include "loop.h"

namespace ringpoll {

void Loop::queueBytes(Channel& channel, BlockId block, uint32_t offset, uint32_t length) {
  sender_.queueBytes(channel, block, offset, length);
}

void Loop::queueShared(Channel& channel, BlockId block, uint32_t offset, uint32_t length) {
  sender_.queueShared(channel, block, offset, length);
}

void Loop::queueEncoded(Channel& channel, BlockId block, uint32_t offset, uint32_t length) {
  sender_.queueEncoded(channel, block, offset, length);
}

void Loop::armFilterTimer(Channel& channel, uint64_t delayMs) {
  timers_.arm(channel.timer, state_.nowMs, delayMs);
}

void Loop::takeCounted(Channel& channel, uint32_t bytes) { sender_.takeCounted(channel, bytes); }

void Loop::endWhenSent(Channel& channel) {
  channel.flags |= kWriteEnding;
  sender_.markDirty(channel);
}

void Loop::closeWhenSent(Channel& channel) {
  channel.flags |= kCloseWhenSent;
  state_.engineOf(channel).pauseReceive(channel);
  sender_.markDirty(channel);
}

void Loop::closeNow(Channel& channel) { destroy(channel); }

void Loop::giveUp(Channel& channel, int error) { fail(channel, error, Syscall::kWrite); }

void Loop::pauseReading(Channel& channel, bool paused) {
  if (paused) {
    channel.flags |= kProtocolPaused;
    if (!(channel.flags & kReadEnded)) state_.engineOf(channel).pauseReceive(channel);
  } else {
    channel.flags &= ~kProtocolPaused;
    if (channel.state == ChannelState::kOpen) routes_.receiveIfWanted(channel);
  }
}

void Loop::armTimer(Channel& channel, uint64_t delayMs) {
  if (channel.idleTimeoutMs == 0) timers_.arm(channel.timer, state_.nowMs, delayMs);
}

void Loop::cancelTimer(Channel& channel) { timers_.cancel(channel.timer); }

Channel* Loop::channelOf(Token token) { return state_.channels.find(token); }

ReceivedBytes Loop::staged(int32_t slabOffset, uint32_t length) {
  return staging_.at(slabOffset, length);
}

uint64_t Loop::deliveredBytes(const Channel& channel) {
  const uint64_t unsent = state_.sockets.unsentInKernel(channel.fd);
  return channel.bytesWritten > unsent ? channel.bytesWritten - unsent : 0;
}

uint64_t Loop::unsentBytes(const Channel& channel) {
  if (channel.state == ChannelState::kClosing) return 0;
  return static_cast<uint64_t>(shares_.waitingBytes(channel));
}

bool Loop::unread(const Channel& channel) {
  // By the route of completions they may have left the socket already.
  if (channel.route == Route::kCompletion && state_.moreReady) return true;
  return state_.sockets.peek(channel.fd) > 0;
}

bool Loop::stirred(const Channel& channel) {
  return channel.filtered == nullptr && state_.sockets.peek(channel.fd) >= 0;
}

}  // namespace ringpoll
