// From JavaScript: its commands, and what it sends from its own memory.
#include <algorithm>
#include <cerrno>

#include "core/base/assert.h"
#include "loop.h"

namespace ringpoll {

void Loop::flush() {
  const LayerScope scope(state_.layers, Layer::kSerialise);
  takeCommands();
  if (state_.layers != nullptr) state_.layers->enter(Layer::kWrite);
  fileSender_.resume();
  sender_.flushDirty();
  for (auto& protocol : protocols_) protocol->endFlush();
  // Only now: what was queued before its release has left or keeps a reference of its own.
  for (BlockId block : releases_) {
    if (state_.arena.contains(block, 0, 0)) state_.arena.release(block);
  }
  releases_.clear();
  staging_.prepare();
}

void Loop::flushNow() {
  const TurnShares::Early early(shares_);
  flush();
}

void Loop::takeCommands() {
  const auto count = static_cast<uint32_t>(state_.rings.control[kCommandCount]);
  if (count == 0) return;
  RP_ASSERT(count <= kCommandCapacity);
  state_.metrics.commands += count;
  state_.nowMs = clockMs();  // the handlers may have taken their time
  for (uint32_t i = 0; i < count; ++i) {
    const int32_t* words = state_.rings.commands + i * kRecordWords;
    const auto kind = static_cast<CommandKind>(words[0]);
    const auto first = static_cast<uint32_t>(words[1]);
    if (kind == CommandKind::kRetain) {
      if (state_.arena.contains(first, 0, 0)) state_.arena.addRef(first);
      continue;
    }
    if (kind == CommandKind::kRelease) {
      releases_.push_back(first);
      continue;
    }
    Channel* channel = state_.channels.find(first, static_cast<uint32_t>(words[2]));
    if (channel == nullptr || channel->state == ChannelState::kClosing) {
      // JavaScript had not heard of the close yet. What it counted as pending will not leave.
      if (countsPending(kind)) pending_.forget(first, words[5]);
      if (kind == CommandKind::kSendFile) fileSender_.refuse(words);
      continue;
    }
    connectionCommand(*channel, words);
  }
  state_.rings.control[kCommandCount] = 0;
}

void Loop::connectionCommand(Channel& channel, const int32_t* words) {
  switch (static_cast<CommandKind>(words[0])) {
    case CommandKind::kSend:
      sender_.queueCommand(channel, words);
      break;
    case CommandKind::kEnd:
      channel.flags |= kWriteEnding;
      channel.flags &= ~kCorked;
      sender_.markDirty(channel);
      break;
    case CommandKind::kClose:
      if (channel.state == ChannelState::kConnecting) {
        destroy(channel);
        break;
      }
      channel.flags |= kCloseWhenSent;
      channel.flags &= ~kCorked;
      state_.engineOf(channel).pauseReceive(channel);
      sender_.markDirty(channel);
      break;
    case CommandKind::kReset:
      channel.flags |= kResetOnClose;
      setResetOnClose(channel.fd);
      destroy(channel);
      break;
    case CommandKind::kDestroy:
      destroy(channel);
      break;
    case CommandKind::kPause:
      channel.flags |= kPaused;
      if (!(channel.flags & kReadEnded)) state_.engineOf(channel).pauseReceive(channel);
      channel.protocol->readingPaused(channel, true, state_.nowMs);
      state_.liveness.review(channel);
      break;
    case CommandKind::kResume:
      channel.flags &= ~kPaused;
      channel.protocol->readingPaused(channel, false, state_.nowMs);
      if (channel.state == ChannelState::kOpen) routes_.receiveIfWanted(channel);
      state_.liveness.review(channel);
      break;
    case CommandKind::kRoute:
      routes_.setRoute(channel, endpoints_[channel.endpoint].hint,
                       static_cast<ReceiveHint>(words[3]));
      break;
    case CommandKind::kTimeout:
      setIdleTimeout(channel, static_cast<uint32_t>(words[3]));
      break;
    case CommandKind::kCork:
      channel.flags |= kCorked;
      break;
    case CommandKind::kUncork:
      channel.flags &= ~kCorked;
      sender_.markDirty(channel);
      break;
    case CommandKind::kWantDrain:
      channel.flags |= kDrainWanted;
      state_.liveness.review(channel);
      channel.drainBelow = static_cast<uint32_t>(words[3]);
      sender_.markDirty(channel);
      break;
    case CommandKind::kSendFile:
      fileSender_.queue(channel, words);
      break;
    default:
      channel.protocol->command(channel, words, state_.nowMs);
      break;
  }
}

ssize_t Loop::trySend(Channel& channel, const uint8_t* data, uint32_t bytes) {
  flushNow();
  if (channel.state == ChannelState::kOpen && (channel.flags & kShareUsed)) return 0;
  if (channel.filtered != nullptr) {
    const bool waits = channel.state == ChannelState::kOpen && !channel.allSent();
    return waits ? 0 : sender_.sendEncoded(channel, data, bytes);
  }
  const ssize_t taken = sender_.sendNow(channel, data, bytes);
  // Nothing waits whose leaving would tell that there is room again: try in the next turn.
  if (taken == 0) shares_.end(channel);
  return taken;
}

size_t Loop::sendLarge(uint32_t slot, uint32_t generation, const uint8_t* data, size_t bytes,
                       size_t keptMax) {
  const TurnShares::Early early(shares_);
  takeCommands();
  Channel* found = state_.channels.find(slot, generation);
  if (found != nullptr && found->filtered != nullptr) {
    return sendLargeEncoded(*found, data, bytes, keptMax);
  }
  const size_t taken = found == nullptr ? 0 : sender_.sendBehindQueue(*found, data, bytes);
  flush();
  // Sending may have ended it.
  Channel* channel = state_.channels.find(slot, generation);
  if (channel == nullptr || channel->state == ChannelState::kClosing) return bytes;
  if (taken == bytes) return bytes;
  return taken + queueLarge(*channel, data + taken, bytes - taken, keptMax);
}

size_t Loop::sendLargeEncoded(Channel& channel, const uint8_t* data, size_t bytes, size_t keptMax) {
  const Token token = channel.token();
  const ssize_t first = sender_.sendEncoded(channel, data, bytes);
  flush();
  const auto isOver = [&] {
    const Channel* found = state_.channels.find(token);
    return found == nullptr || found->state == ChannelState::kClosing;
  };
  if (first < 0 || isOver()) return bytes;
  auto at = static_cast<size_t>(first);
  const ssize_t second = sender_.sendEncoded(channel, data + at, bytes - at);
  if (second < 0) return bytes;
  at += static_cast<size_t>(second);
  const size_t left = bytes - at;
  const size_t kept = left <= keptMax ? left : std::min<size_t>(left, kBlockBytesMax);
  if (!sender_.queueEncodedCopy(channel, data + at, kept)) return bytes;
  flush();
  return at + kept;
}

// Answers how many bytes have left or are kept here; all of them when the connection has failed.
size_t Loop::queueLarge(Channel& channel, const uint8_t* data, size_t bytes, size_t keptMax) {
  size_t at = 0;
  while (channel.state == ChannelState::kOpen && at < bytes) {
    const auto piece = static_cast<uint32_t>(std::min(bytes - at, kSendBytesMax));
    const ssize_t taken = sender_.sendNow(channel, data + at, piece);
    if (taken < 0) return bytes;  // the connection has failed; its close tells why
    if (taken == 0) break;
    at += static_cast<size_t>(taken);
  }
  const size_t left = bytes - at;
  const size_t kept = left <= keptMax ? left : std::min<size_t>(left, kBlockBytesMax);
  return sender_.queueCopy(channel, data + at, kept) ? at + kept : bytes;
}

void Loop::setIdleTimeout(Channel& channel, uint32_t milliseconds) {
  channel.idleTimeoutMs = milliseconds;
  if (channel.state == ChannelState::kConnecting) return;  // its timer bounds the connect
  timers_.cancel(channel.timer);
  if (milliseconds == 0) return;
  channel.activeMs = static_cast<uint32_t>(state_.nowMs);
  timers_.arm(channel.timer, state_.nowMs, milliseconds);
}

}  // namespace ringpoll
