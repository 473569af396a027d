#include "sender.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/assert.h"
#include "core/base/probes.h"
#include "filter.h"

namespace ringpoll {

namespace {

// From the caller's memory, encoded and sent at a time: few enough to stay in the cache.
constexpr size_t kEncodedPieceBytes = 64 * 1024;

}  // namespace

void Sender::queueCommand(Channel& channel, const int32_t* words) {
  const auto block = static_cast<BlockId>(words[3]);
  const auto slabOffset = static_cast<uint32_t>(words[4]);
  const auto length = static_cast<uint32_t>(words[5]);
  bool sendable = !(channel.flags & (kWriteEnding | kWriteEnded | kCloseWhenSent)) && length > 0 &&
                  state_.arena.contains(block, 0, 0);
  const uint32_t offset = sendable ? slabOffset - state_.arena.slabOffset(block) : 0;
  sendable = sendable && state_.arena.contains(block, offset, length);
  if (!sendable) {
    pending_[channel.slot] -= length;
    return;
  }
  state_.queues.push(channel.queue(), block, offset, length, false);
  markDirty(channel);
  if (shares_.early()) shares_.use(channel, kCommandShareBytes);
}

void Sender::queueBytes(Channel& channel, BlockId block, uint32_t offset, uint32_t length) {
  pending_[channel.slot] += length;
  state_.queues.push(channel.queue(), block, offset, length, false);
  markDirty(channel);
}

void Sender::queueShared(Channel& channel, BlockId block, uint32_t offset, uint32_t length) {
  pending_[channel.slot] += length;
  state_.arena.addRef(block);
  state_.queues.push(channel.queue(), block, offset, length, true);
  markDirty(channel);
}

void Sender::queueEncoded(Channel& channel, BlockId block, uint32_t offset, uint32_t length) {
  pending_[channel.slot] += length;
  state_.queues.push(channel.sends, block, offset, length, false);
  markDirty(channel);
}

void Sender::takeCounted(Channel& channel, uint32_t bytes) {
  pending_[channel.slot] -= bytes;
  if (shares_.early()) shares_.use(channel, kCommandShareBytes);
}

void Sender::markDirty(Channel& channel) {
  if (channel.flags & kDirty) return;
  channel.flags |= kDirty;
  dirty_.push_back(channel.token());
}

// A failing send closes its connection, which never queues another one: the list only shrinks.
void Sender::flushDirty() {
  if (together_ != nullptr && faults_ == nullptr && dirty_.size() >= kSendsTogetherMin)
    sendTogether();
  for (size_t i = 0; i < dirty_.size(); ++i) {
    Channel* channel = state_.channels.find(dirty_[i]);
    if (channel == nullptr) continue;
    channel->flags &= ~kDirty;
    if (channel->state != ChannelState::kClosing) flushConnection(*channel);
  }
  dirty_.clear();
}

// What is left of a connection's bytes, and what its queue's end brings, is flushConnection()'s.
void Sender::sendTogether() {
  for (size_t i = 0; i < dirty_.size();) {
    const uint32_t room = together_->room();
    if (room < kSendsTogetherMin) return;
    offered_.clear();
    for (; i < dirty_.size() && offered_.size() < room; ++i) {
      Channel* channel = state_.channels.find(dirty_[i]);
      if (channel != nullptr) addTogether(*channel);
    }
    if (offered_.empty()) return;
    state_.metrics.sendsTogether += offered_.size();
    const int32_t* results = together_->run();
    for (size_t k = 0; k < offered_.size(); ++k) {
      Channel* channel = state_.channels.find(offered_[k].token);
      // Nothing that was done meanwhile lets go of a channel.
      RP_ASSERT(channel != nullptr);
      if (channel->state == ChannelState::kOpen) sendOver(*channel, results[k], offered_[k].bytes);
    }
  }
}

void Sender::addTogether(Channel& channel) {
  // What a filter encodes leaves while it is in the cache, and its memory serves the next.
  if (channel.state != ChannelState::kOpen || channel.filtered != nullptr) return;
  RP_ASSERT(together_ != nullptr);
  if (state_.engineOf(channel).sends() != together_) return;
  if (channel.sends.empty() || (channel.flags & (kSending | kCorked))) return;
  if (state_.queues.frontIsFile(channel.sends)) return;
  iovec vectors[kTogetherVectorsMax];
  const uint32_t count = state_.queues.gather(channel.sends, vectors, kTogetherVectorsMax);
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < count; ++i) bytes += vectors[i].iov_len;
  together_->add(channel.fd, vectors, count);
  offered_.push_back({channel.token(), bytes});
}

// What a send means for its connection. False: no more is sent now.
bool Sender::sendOver(Channel& channel, ssize_t taken, uint64_t offered) {
  if (kernelLacksMemory(taken)) {
    sendWithoutMemory(channel);
    return false;
  }
  if (taken < 0 && !socketIsFull(taken)) {
    ends_.fail(channel, static_cast<int>(-taken), Syscall::kWrite);
    return false;
  }
  if (taken > 0) sent(channel, static_cast<uint64_t>(taken));
  if (taken < 0 || static_cast<uint64_t>(taken) < offered) {
    ++state_.metrics.sendsPartial;
    if (faults_ != nullptr && faults_->cutOff()) {
      withoutMemory_.push_back(channel.token());
      state_.requestAnotherTurn(channel);
    } else {
      handOver(channel);
    }
    return false;
  }
  if (channel.filtered == nullptr || !channel.sends.empty()) return true;
  channel.filtered->filter.encodedLeft(channel);
  return encodeWaiting(channel);
}

// From the queue of what waits to be encoded into that of the socket, up to a file whose bytes are
// not here yet. False: the connection is over.
bool Sender::encodeWaiting(Channel& channel) {
  Filtered& filtered = *channel.filtered;
  if (!filtered.announced) return true;
  const bool dirty = channel.flags & kDirty;
  channel.flags |= kDirty;  // it is being flushed: what the filter queues need not say so
  while (!filtered.plain.empty() && !filtered.readsFile) {
    if (state_.queues.frontIsFile(filtered.plain)) {
      // A file is read as fast as its connection takes it.
      if (!channel.sends.empty() || !files_->readFront(channel)) break;
      continue;
    }
    iovec vectors[kSendVectorsMax];
    const uint32_t count = state_.queues.gather(filtered.plain, vectors, kSendVectorsMax);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; ++i) bytes += vectors[i].iov_len;
    if (!filtered.filter.encode(channel, vectors, count)) return false;
    state_.queues.consume(filtered.plain, bytes);
    pending_[channel.slot] -= static_cast<double>(bytes);
  }
  const bool ends = channel.flags & (kWriteEnding | kCloseWhenSent);
  if (ends && filtered.plain.empty() && !filtered.ended) {
    filtered.ended = true;
    filtered.filter.end(channel);
  }
  if (!dirty) channel.flags &= ~kDirty;
  return channel.state == ChannelState::kOpen;
}

void Sender::flushConnection(Channel& channel) {
  const bool open = channel.state == ChannelState::kOpen;
  if (open && channel.filtered != nullptr && !encodeWaiting(channel)) return;
  while (open && !channel.sends.empty() && !(channel.flags & (kSending | kCorked))) {
    if (state_.queues.frontIsFile(channel.sends)) {
      const bool piped = state_.queues.frontIsPiped(channel.sends);
      if (!(piped ? pipes_->sendPiped(channel) : files_->sendFront(channel))) break;
      continue;
    }
    iovec vectors[kSendVectorsMax];
    const uint32_t count = state_.queues.gather(channel.sends, vectors, kSendVectorsMax);
    uint64_t offered = 0;
    for (uint32_t i = 0; i < count; ++i) offered += vectors[i].iov_len;
    ++state_.metrics.sends;
    const uint64_t startNs = meter_.begin();
    const ssize_t taken = offer(channel, vectors, count);
    meter_.end(kSentNow, startNs, offered);
    if (!sendOver(channel, taken, offered)) break;
  }
  if (channel.state == ChannelState::kClosing) return;
  const bool kept = state_.queues.keep(channel.sends) &&
                    (channel.filtered == nullptr || state_.queues.keep(channel.filtered->plain));
  if (!kept) {
    ends_.fail(channel, ENOMEM, Syscall::kWrite);
    return;
  }
  if (open) queueDrained(channel);
  state_.liveness.review(channel);
}

// The rest leaves when the kernel has room: the engine's work. Its memory must stay until then.
void Sender::handOver(Channel& channel) {
  if (!state_.queues.keep(channel.sends)) return;  // flushConnection() fails the connection
  channel.flags |= kSending;
  ++state_.metrics.sendsByEngine;
  channel.protocol->sendBlocked(channel, state_.nowMs);
  if (channel.flags & kMigrating) {
    channel.flags |= kSendDeferred;
    return;
  }
  const uint64_t startNs = meter_.begin();
  state_.engineOf(channel).send(channel);
  meter_.end(kSentByEngine, startNs, static_cast<uint64_t>(shares_.waitingBytes(channel)));
}

// The engine cannot help: room in a socket is an event, memory in the kernel is not. Only trying
// again tells, so the next turn waits kMemoryRetryMs at most.
void Sender::sendWithoutMemory(Channel& channel) {
  ++state_.metrics.sendsWithoutMemory;
  withoutMemory_.push_back(channel.token());
}

void Sender::retrySends() {
  for (Token token : withoutMemory_) {
    if (Channel* channel = state_.channels.find(token)) markDirty(*channel);
  }
  withoutMemory_.clear();
}

void Sender::sent(Channel& channel, uint64_t bytes) {
  state_.queues.consume(channel.sends, bytes);
  countSent(channel, bytes);
}

void Sender::countSent(Channel& channel, uint64_t bytes) {
  RP_PROBE2(send, channel.slot, bytes);
  channel.bytesWritten += bytes;
  channel.activeMs = static_cast<uint32_t>(state_.nowMs);
  state_.metrics.bytesWritten += bytes;
  pending_[channel.slot] -= static_cast<double>(bytes);
  if (shares_.early()) shares_.use(channel, bytes);
}

// What happens when the queue is low or empty: drain, FIN, close.
void Sender::queueDrained(Channel& channel) {
  shares_.wakeWriter(channel);
  if (channel.flags & kProtocolWaits) channel.protocol->sendProgressed(channel);
  if (!channel.allSent()) return;
  if (channel.flags & kCloseWhenSent) {
    ends_.closeInOrder(channel);
    return;
  }
  if ((channel.flags & kWriteEnding) && !(channel.flags & kWriteEnded)) {
    channel.flags |= kWriteEnded;
    if ((channel.flags & kReadEnded) && !(channel.lifeFlags & kClosedByOwner)) {
      ends_.destroy(channel);
    } else {
      state_.sockets.shutdownWrite(channel.fd);
      // The peer's FIN may be here already, unread.
      if (channel.engineFlags & kHangup) state_.ready.push(channel.token(), OpKind::kHangup, 0);
      channel.protocol->finSent(channel, state_.nowMs);
    }
  }
}

void Sender::onSend(Channel& channel, const Completion& completion) {
  channel.flags &= ~kSending;
  if (channel.state != ChannelState::kOpen) return;
  if (completion.result >= 0) {
    sent(channel, static_cast<uint64_t>(completion.result));
  } else if (!socketIsFull(completion.result) && completion.result != -EINTR &&
             !kernelLacksMemory(completion.result)) {
    ends_.fail(channel, -completion.result, Syscall::kWrite);
    return;
  }
  routes_.migrateIfDue(channel);
  flushConnection(channel);
}

ssize_t Sender::sendNow(Channel& channel, const uint8_t* data, uint32_t bytes) {
  const uint16_t closed = kWriteEnding | kWriteEnded | kCloseWhenSent;
  if (channel.state != ChannelState::kOpen || (channel.flags & closed)) return -EPIPE;
  if (!channel.sends.empty() || (channel.flags & kCorked)) return 0;
  const ssize_t taken = sendBytes(channel, data, bytes);
  if (taken > 0) shares_.use(channel, static_cast<uint64_t>(taken));
  return taken;
}

uint32_t Sender::sendPiped(Channel& channel, const uint8_t* data, uint32_t bytes) {
  const ssize_t taken = sendBytes(channel, data, bytes);
  return taken > 0 ? bytes - static_cast<uint32_t>(taken) : bytes;
}

// Past the queue, in one system call: bytes taken, 0 when the kernel has no room, or -errno.
ssize_t Sender::sendBytes(Channel& channel, const uint8_t* data, uint32_t bytes) {
  const iovec vector{const_cast<uint8_t*>(data), bytes};
  ++state_.metrics.sends;
  const ssize_t taken = offer(channel, &vector, 1);
  if (socketIsFull(taken) || kernelLacksMemory(taken)) return 0;
  if (taken < 0) {
    ends_.fail(channel, static_cast<int>(-taken), Syscall::kWrite);
    return taken;
  }
  channel.bytesWritten += static_cast<uint64_t>(taken);
  channel.activeMs = static_cast<uint32_t>(state_.nowMs);
  state_.metrics.bytesWritten += static_cast<uint64_t>(taken);
  return taken;
}

size_t Sender::sendBehindQueue(Channel& channel, const uint8_t* data, size_t bytes) {
  constexpr uint16_t unable =
      kWriteEnding | kWriteEnded | kCloseWhenSent | kCorked | kSending | kMigrating;
  if (channel.state != ChannelState::kOpen || (channel.flags & unable)) return 0;
  if (faults_ != nullptr) return 0;
  iovec vectors[kSendVectorsMax];
  const uint32_t count = state_.queues.gather(channel.sends, vectors, kSendVectorsMax - 1);
  uint64_t queued = 0;
  for (uint32_t i = 0; i < count; ++i) queued += vectors[i].iov_len;
  if (queued == 0 || static_cast<double>(queued) != shares_.waitingBytes(channel)) return 0;
  vectors[count] = {const_cast<uint8_t*>(data), std::min<size_t>(bytes, kSendBytesMax)};
  ++state_.metrics.sends;
  const ssize_t taken = offer(channel, vectors, count + 1);
  if (taken <= 0) return 0;  // flush() tries again, and finds out what it means
  const uint64_t ofQueue = std::min(queued, static_cast<uint64_t>(taken));
  sent(channel, ofQueue);
  const uint64_t behind = static_cast<uint64_t>(taken) - ofQueue;
  channel.bytesWritten += behind;
  state_.metrics.bytesWritten += behind;
  shares_.use(channel, behind);
  return behind;
}

bool Sender::queueCopy(Channel& channel, const uint8_t* data, size_t bytes) {
  size_t at = 0;
  while (at < bytes) {
    const size_t left = bytes - at;
    const auto piece = static_cast<uint32_t>(left < kBlockBytesMax ? left : kBlockBytesMax);
    const BlockId block = state_.arena.lease(piece);
    if (block == kNoBlock) {
      ends_.fail(channel, ENOMEM, Syscall::kWrite);
      return false;
    }
    std::memcpy(state_.arena.data(block), data + at, piece);
    state_.queues.push(channel.queue(), block, 0, piece, true);
    pending_[channel.slot] += piece;
    at += piece;
  }
  if (!channel.allSent()) markDirty(channel);
  state_.liveness.review(channel);
  return true;
}

ssize_t Sender::sendEncoded(Channel& channel, const uint8_t* data, size_t bytes) {
  constexpr uint16_t closed = kWriteEnding | kWriteEnded | kCloseWhenSent;
  if (channel.state != ChannelState::kOpen || (channel.flags & closed)) return -EPIPE;
  Filtered& filtered = *channel.filtered;
  size_t at = 0;
  while (at < bytes && channel.sends.empty() && !(channel.flags & (kCorked | kSending))) {
    iovec vectors[kSendVectorsMax];
    const uint32_t count = state_.queues.gather(filtered.plain, vectors, kSendVectorsMax - 1);
    uint64_t before = 0;
    for (uint32_t i = 0; i < count; ++i) before += vectors[i].iov_len;
    // A file, or more than goes together with what is sent here.
    if (before != state_.queues.bytes(filtered.plain) || before >= kEncodedPieceBytes) break;
    const size_t piece = std::min<size_t>(bytes - at, kEncodedPieceBytes - before);
    vectors[count] = {const_cast<uint8_t*>(data) + at, piece};
    if (!filtered.filter.encode(channel, vectors, count + 1)) return -EPIPE;
    state_.queues.consume(filtered.plain, before);
    pending_[channel.slot] -= static_cast<double>(before);
    at += piece;
    flushConnection(channel);
    if (channel.state != ChannelState::kOpen) return -EPIPE;
  }
  return static_cast<ssize_t>(at);
}

bool Sender::queueEncodedCopy(Channel& channel, const uint8_t* data, size_t bytes) {
  if (bytes == 0) return true;
  Filtered& filtered = *channel.filtered;
  // What stands before it, such as a file, is encoded before it.
  if (!filtered.plain.empty()) return queueCopy(channel, data, bytes);
  for (size_t at = 0; at < bytes; at += kBlockBytesMax) {
    const size_t piece = std::min<size_t>(bytes - at, kBlockBytesMax);
    const iovec vector{const_cast<uint8_t*>(data) + at, piece};
    if (!filtered.filter.encode(channel, &vector, 1)) return false;
  }
  markDirty(channel);
  return true;
}

}  // namespace ringpoll
