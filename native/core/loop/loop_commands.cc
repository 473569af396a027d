// From JavaScript to the kernel: commands, and the sends that they queue.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/assert.h"
#include "loop.h"

namespace ringpoll {

void Loop::flush() {
  takeCommands();
  for (Token token : filesToResume_) {
    if (Channel* channel = channels_.find(token)) markDirty(*channel);
  }
  filesToResume_.clear();
  // A failing send closes its connection, which never queues another one: the list only shrinks.
  for (size_t i = 0; i < dirty_.size(); ++i) {
    Channel* channel = channels_.find(dirty_[i]);
    if (channel == nullptr) continue;
    channel->flags &= ~kDirty;
    if (channel->state != ChannelState::kClosing) flushConnection(*channel);
  }
  dirty_.clear();
  for (auto& protocol : protocols_) protocol->endFlush();
  // Only now: what was queued before its release has left or keeps a reference of its own.
  for (BlockId block : releases_) {
    if (arena_.contains(block, 0, 0)) arena_.release(block);
  }
  releases_.clear();
  prepareStaging();
}

void Loop::takeCommands() {
  const auto count = static_cast<uint32_t>(rings_.control[kCommandCount]);
  if (count == 0) return;
  RP_ASSERT(count <= kCommandCapacity);
  metrics_.commands += count;
  nowMs_ = clockMs();  // the handlers may have taken their time
  for (uint32_t i = 0; i < count; ++i) {
    const int32_t* words = rings_.commands + i * kRecordWords;
    const auto kind = static_cast<CommandKind>(words[0]);
    const auto first = static_cast<uint32_t>(words[1]);
    if (kind == CommandKind::kRetain) {
      if (arena_.contains(first, 0, 0)) arena_.addRef(first);
      continue;
    }
    if (kind == CommandKind::kRelease) {
      releases_.push_back(first);
      continue;
    }
    Channel* channel = channels_.find(first, static_cast<uint32_t>(words[2]));
    if (channel == nullptr || channel->state == ChannelState::kClosing) {
      // JavaScript had not heard of the close yet. What it counted as pending will not leave.
      if (kind == CommandKind::kSend && first < pendingSlots_) pending_[first] -= words[5];
      if (kind == CommandKind::kSendFile) refuseFile(words);
      continue;
    }
    connectionCommand(*channel, words);
  }
  rings_.control[kCommandCount] = 0;
}

void Loop::connectionCommand(Channel& channel, const int32_t* words) {
  switch (static_cast<CommandKind>(words[0])) {
    case CommandKind::kSend:
      queueSend(channel, words);
      break;
    case CommandKind::kEnd:
      channel.flags |= kWriteEnding;
      channel.flags &= ~kCorked;
      markDirty(channel);
      break;
    case CommandKind::kClose:
      if (channel.state == ChannelState::kConnecting) {
        destroy(channel);
        break;
      }
      channel.flags |= kCloseWhenSent;
      channel.flags &= ~kCorked;
      engineOf(channel).pauseReceive(channel);
      markDirty(channel);
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
      if (!(channel.flags & kReadEnded)) engineOf(channel).pauseReceive(channel);
      channel.protocol->readingPaused(channel, true, nowMs_);
      break;
    case CommandKind::kResume:
      channel.flags &= ~kPaused;
      channel.protocol->readingPaused(channel, false, nowMs_);
      if (channel.state == ChannelState::kOpen) receiveIfWanted(channel);
      break;
    case CommandKind::kRoute:
      setRoute(channel, static_cast<ReceiveHint>(words[3]));
      break;
    case CommandKind::kTimeout:
      setIdleTimeout(channel, static_cast<uint32_t>(words[3]));
      break;
    case CommandKind::kCork:
      channel.flags |= kCorked;
      break;
    case CommandKind::kUncork:
      channel.flags &= ~kCorked;
      markDirty(channel);
      break;
    case CommandKind::kWantDrain:
      channel.flags |= kDrainWanted;
      channel.drainBelow = static_cast<uint32_t>(words[3]);
      markDirty(channel);
      break;
    case CommandKind::kSendFile:
      queueFile(channel, words);
      break;
    default:
      channel.protocol->command(channel, words, nowMs_);
      break;
  }
}

void Loop::queueSend(Channel& channel, const int32_t* words) {
  const auto block = static_cast<BlockId>(words[3]);
  const auto slabOffset = static_cast<uint32_t>(words[4]);
  const auto length = static_cast<uint32_t>(words[5]);
  bool sendable = !(channel.flags & (kWriteEnding | kWriteEnded | kCloseWhenSent)) && length > 0 &&
                  arena_.contains(block, 0, 0);
  const uint32_t offset = sendable ? slabOffset - arena_.slabOffset(block) : 0;
  sendable = sendable && arena_.contains(block, offset, length);
  if (!sendable) {
    pending_[channel.slot] -= length;
    return;
  }
  queues_.push(channel.sends, block, offset, length, false);
  markDirty(channel);
  if (early_) useShare(channel, kCommandShareBytes);
}

void Loop::markDirty(Channel& channel) {
  if (channel.flags & kDirty) return;
  channel.flags |= kDirty;
  dirty_.push_back(channel.token());
}

void Loop::flushConnection(Channel& channel) {
  const bool open = channel.state == ChannelState::kOpen;
  while (open && !channel.sends.empty() && !(channel.flags & (kSending | kCorked))) {
    if (queues_.frontIsFile(channel.sends)) {
      if (!sendFile(channel)) break;
      continue;
    }
    iovec vectors[kSendVectorsMax];
    const uint32_t count = queues_.gather(channel.sends, vectors, kSendVectorsMax);
    uint64_t offered = 0;
    for (uint32_t i = 0; i < count; ++i) offered += vectors[i].iov_len;
    ++metrics_.sends;
    const uint64_t startNs = sendMeter_.begin();
    const ssize_t taken = sockets_.send(channel.fd, vectors, count);
    sendMeter_.end(kSentNow, startNs, offered);
    if (kernelLacksMemory(taken)) {
      sendWithoutMemory(channel);
      break;
    }
    if (taken < 0 && !socketIsFull(taken)) {
      fail(channel, static_cast<int>(-taken), Syscall::kWrite);
      return;
    }
    if (taken > 0) sent(channel, static_cast<uint64_t>(taken));
    if (taken < 0 || static_cast<uint64_t>(taken) < offered) {
      ++metrics_.sendsPartial;
      handOver(channel);
      break;
    }
  }
  if (channel.state == ChannelState::kClosing) return;
  if (!channel.sends.empty() && !queues_.keep(channel.sends)) {
    fail(channel, ENOMEM, Syscall::kWrite);
    return;
  }
  if (open) queueDrained(channel);
}

// The rest leaves when the kernel has room: the engine's work. Its memory must stay until then.
void Loop::handOver(Channel& channel) {
  if (!queues_.keep(channel.sends)) return;  // flushConnection() fails the connection
  channel.flags |= kSending;
  ++metrics_.sendsByEngine;
  channel.protocol->sendBlocked(channel, nowMs_);
  if (channel.flags & kMigrating) {
    channel.flags |= kSendDeferred;
    return;
  }
  const uint64_t startNs = sendMeter_.begin();
  engineOf(channel).send(channel);
  sendMeter_.end(kSentByEngine, startNs, static_cast<uint64_t>(waitingBytes(channel)));
}

// The engine cannot help: room in a socket is an event, memory in the kernel is not. Only trying
// again tells, so the next turn waits kMemoryRetryMs at most.
void Loop::sendWithoutMemory(Channel& channel) {
  ++metrics_.sendsWithoutMemory;
  withoutMemory_.push_back(channel.token());
}

void Loop::retrySends() {
  for (Token token : withoutMemory_) {
    if (Channel* channel = channels_.find(token)) markDirty(*channel);
  }
  withoutMemory_.clear();
}

void Loop::sent(Channel& channel, uint64_t bytes) {
  queues_.consume(channel.sends, bytes);
  countSent(channel, bytes);
}

void Loop::countSent(Channel& channel, uint64_t bytes) {
  channel.bytesWritten += bytes;
  channel.activeMs = static_cast<uint32_t>(nowMs_);
  metrics_.bytesWritten += bytes;
  pending_[channel.slot] -= static_cast<double>(bytes);
  if (early_) useShare(channel, bytes);
}

// What happens when the queue is low or empty: drain, FIN, close.
void Loop::queueDrained(Channel& channel) {
  wakeWriter(channel);
  if (channel.flags & kProtocolWaits) channel.protocol->sendProgressed(channel);
  if (!channel.sends.empty()) return;
  if (channel.flags & kCloseWhenSent) {
    destroy(channel);
    return;
  }
  if ((channel.flags & kWriteEnding) && !(channel.flags & kWriteEnded)) {
    channel.flags |= kWriteEnded;
    if (channel.flags & kReadEnded) {
      destroy(channel);
    } else {
      sockets_.shutdownWrite(channel.fd);
      // The peer's FIN may be here already, unread.
      if (channel.engineFlags & kHangup) ready_.push(channel.token(), OpKind::kHangup, 0);
      channel.protocol->finSent(channel, nowMs_);
    }
  }
}

ssize_t Loop::trySend(Channel& channel, const uint8_t* data, uint32_t bytes) {
  flushNow();
  if (channel.state == ChannelState::kOpen && (channel.flags & kShareUsed)) return 0;
  const ssize_t taken = sendNow(channel, data, bytes);
  // Nothing waits whose leaving would tell that there is room again: try in the next turn.
  if (taken == 0) endShare(channel);
  return taken;
}

ssize_t Loop::sendNow(Channel& channel, const uint8_t* data, uint32_t bytes) {
  const EarlySends early(*this);
  flush();
  const uint16_t closed = kWriteEnding | kWriteEnded | kCloseWhenSent;
  if (channel.state != ChannelState::kOpen || (channel.flags & closed)) return -EPIPE;
  if (!channel.sends.empty() || (channel.flags & kCorked)) return 0;
  const iovec vector{const_cast<uint8_t*>(data), bytes};
  ++metrics_.sends;
  const ssize_t taken = sockets_.send(channel.fd, &vector, 1);
  if (socketIsFull(taken) || kernelLacksMemory(taken)) return 0;
  if (taken < 0) {
    fail(channel, static_cast<int>(-taken), Syscall::kWrite);
    return taken;
  }
  channel.bytesWritten += static_cast<uint64_t>(taken);
  channel.activeMs = static_cast<uint32_t>(nowMs_);
  metrics_.bytesWritten += static_cast<uint64_t>(taken);
  useShare(channel, static_cast<uint64_t>(taken));
  return taken;
}

size_t Loop::sendLarge(uint32_t slot, uint32_t generation, const uint8_t* data, size_t bytes,
                       size_t keptMax) {
  const EarlySends early(*this);
  takeCommands();
  Channel* found = channels_.find(slot, generation);
  const size_t taken = found == nullptr ? 0 : sendBehindQueue(*found, data, bytes);
  flush();
  // Sending may have ended it.
  Channel* channel = channels_.find(slot, generation);
  if (channel == nullptr || channel->state == ChannelState::kClosing) return bytes;
  if (taken == bytes) return bytes;
  return taken + queueLarge(*channel, data + taken, bytes - taken, keptMax);
}

// One system call for what waits in the queue and for bytes behind it. Answers how many of these
// the kernel has taken; 0 also when it is not possible now.
size_t Loop::sendBehindQueue(Channel& channel, const uint8_t* data, size_t bytes) {
  constexpr uint16_t unable =
      kWriteEnding | kWriteEnded | kCloseWhenSent | kCorked | kSending | kMigrating;
  if (channel.state != ChannelState::kOpen || (channel.flags & unable)) return 0;
  iovec vectors[kSendVectorsMax];
  const uint32_t count = queues_.gather(channel.sends, vectors, kSendVectorsMax - 1);
  uint64_t queued = 0;
  for (uint32_t i = 0; i < count; ++i) queued += vectors[i].iov_len;
  if (queued == 0 || static_cast<double>(queued) != waitingBytes(channel)) return 0;
  vectors[count] = {const_cast<uint8_t*>(data), std::min<size_t>(bytes, kSendBytesMax)};
  ++metrics_.sends;
  const ssize_t taken = sockets_.send(channel.fd, vectors, count + 1);
  if (taken <= 0) return 0;  // flush() tries again, and finds out what it means
  const uint64_t ofQueue = std::min(queued, static_cast<uint64_t>(taken));
  sent(channel, ofQueue);
  const uint64_t behind = static_cast<uint64_t>(taken) - ofQueue;
  channel.bytesWritten += behind;
  metrics_.bytesWritten += behind;
  useShare(channel, behind);
  return behind;
}

// Answers how many bytes have left or are kept here; all of them when the connection has failed.
size_t Loop::queueLarge(Channel& channel, const uint8_t* data, size_t bytes, size_t keptMax) {
  size_t at = 0;
  if (channel.state == ChannelState::kOpen) {
    while (at < bytes) {
      const size_t left = bytes - at;
      const ssize_t taken =
          sendNow(channel, data + at, static_cast<uint32_t>(std::min(left, kSendBytesMax)));
      if (taken < 0) return bytes;  // the connection has failed; its close tells why
      if (taken == 0) break;
      at += static_cast<size_t>(taken);
    }
  }
  const size_t end = bytes - at <= keptMax ? bytes : std::min<size_t>(bytes, at + kBlockBytesMax);
  while (at < end) {
    const size_t left = end - at;
    const auto piece = static_cast<uint32_t>(left < kBlockBytesMax ? left : kBlockBytesMax);
    const BlockId block = arena_.lease(piece);
    if (block == kNoBlock) {
      fail(channel, ENOMEM, Syscall::kWrite);
      return bytes;
    }
    std::memcpy(arena_.data(block), data + at, piece);
    queues_.push(channel.sends, block, 0, piece, true);
    pending_[channel.slot] += piece;
    at += piece;
  }
  if (!channel.sends.empty()) markDirty(channel);
  return at;
}

void Loop::setIdleTimeout(Channel& channel, uint32_t milliseconds) {
  channel.idleTimeoutMs = milliseconds;
  if (channel.state == ChannelState::kConnecting) return;  // its timer bounds the connect
  timers_.cancel(channel.timer);
  if (milliseconds == 0) return;
  channel.activeMs = static_cast<uint32_t>(nowMs_);
  timers_.arm(channel.timer, nowMs_, milliseconds);
}

}  // namespace ringpoll
