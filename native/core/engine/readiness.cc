#include "readiness.h"

#include <algorithm>
#include <cerrno>

namespace ringpoll {

void Readiness::mark(Channel& channel, uint8_t ready, uint32_t announced) {
  if (announced > 0) channel.announced = announced;
  if (ready & (kIn | kHup)) channel.engineFlags |= kReadable;
  if (ready & (kOut | kHup)) channel.engineFlags |= kWritable;
  if (ready & kHup) channel.engineFlags |= kHangup;
  if (ready & kGone) tellGone(channel);
  resume(channel);
}

// Whoever reads finds out by reading.
void Readiness::tellGone(Channel& channel) {
  if (channel.type != ChannelType::kConnection || channel.state != ChannelState::kOpen) return;
  if (channel.engineFlags & kWantReceive) return;
  context_.ready.push(channel.token(), OpKind::kHangup, 0);
}

void Readiness::accept(Channel& listener) {
  listener.engineFlags &= ~kAcceptsLater;
  resume(listener);
}

void Readiness::resume(Channel& channel) {
  if ((channel.engineFlags & kInReadyQueue) || !actionable(channel)) return;
  channel.engineFlags |= kInReadyQueue;
  queue_.push_back(channel.token());
}

void Readiness::forget(Channel& channel) {
  if (channel.engineFlags & kInReadyQueue) {
    const auto drop = [&](std::vector<Token>& from, size_t first) {
      const auto at =
          std::find(from.begin() + static_cast<ptrdiff_t>(first), from.end(), channel.token());
      if (at != from.end()) from.erase(at);
    };
    drop(queue_, 0);
    drop(serving_, position_);
    drop(starving_, 0);
  }
  channel.engineFlags &= ~(kInReadyQueue | kReadable | kWritable | kHangup);
  channel.announced = 0;
}

bool Readiness::actionable(const Channel& channel) const {
  if (channel.state == ChannelState::kClosing) return false;
  if (channel.onlyReadable()) {
    return (channel.engineFlags & (kReadable | kAcceptsLater)) == kReadable;
  }
  if (channel.state == ChannelState::kConnecting) return channel.engineFlags & kWritable;
  return ((channel.engineFlags & kReadable) && (channel.engineFlags & kWantReceive)) ||
         ((channel.engineFlags & kWritable) && (channel.engineFlags & kWantSend));
}

bool Readiness::service() {
  // What does not fit into this turn goes to the front of the next: first come, first served.
  if (position_ == serving_.size()) {
    serving_.clear();
    position_ = 0;
    serving_.swap(starving_);
    serving_.insert(serving_.end(), queue_.begin(), queue_.end());
    queue_.clear();
  }
  while (position_ < serving_.size()) {
    if (context_.ready.room() < kAcceptsPerTurnMax + 2) return true;
    Channel* channel = context_.channels.find(serving_[position_]);
    if (channel == nullptr) {
      ++context_.metrics.staleEvents;
      ++position_;
      continue;
    }
    if ((channel->engineFlags & kWantReceive) && context_.buffers.turnIsFull()) return true;
    ++position_;
    channel->engineFlags &= ~kInReadyQueue;
    if (channel->state != ChannelState::kClosing) serve(*channel);
  }
  return !queue_.empty();
}

bool Readiness::starves(Channel& channel) {
  ReceiveBuffers::Room room;
  if (context_.buffers.turnIsFull() || context_.buffers.room(&room)) return false;
  ++context_.metrics.bufferExhaustions;
  channel.engineFlags |= kInReadyQueue;
  starving_.push_back(channel.token());
  return true;
}

void Readiness::serve(Channel& channel) {
  switch (channel.type) {
    case ChannelType::kListener:
      acceptAll(channel);
      break;
    case ChannelType::kWatch:
    case ChannelType::kMailbox:
      channel.engineFlags &= ~kReadable;
      context_.ready.push(channel.token(), OpKind::kWatch, 0, true);
      break;
    case ChannelType::kConnection:
      if (channel.state == ChannelState::kConnecting) {
        finishConnect(channel);
        break;
      }
      if ((channel.engineFlags & kWantSend) && (channel.engineFlags & kWritable)) {
        sendMore(channel);
      }
      if ((channel.engineFlags & kWantReceive) && (channel.engineFlags & kReadable)) {
        if (channel.engineFlags & kTellsReadable) {
          channel.engineFlags &= ~kReadable;
          context_.ready.push(channel.token(), OpKind::kWatch, 0, true);
          break;
        }
        if (starves(channel)) return;
        receiveSome(channel);
      }
      resume(channel);
      break;
    case ChannelType::kDatagram:
      tellReady(channel);
      break;
    case ChannelType::kFree:
      break;
  }
}

// Its protocol receives until nothing is left, so that the next edge is the next reason.
void Readiness::tellReady(Channel& channel) {
  if ((channel.engineFlags & kWantSend) && (channel.engineFlags & kWritable)) {
    channel.engineFlags &= ~(kWantSend | kWritable);
    context_.ready.push(channel.token(), OpKind::kSend, 0);
  }
  if ((channel.engineFlags & kWantReceive) && (channel.engineFlags & kReadable)) {
    channel.engineFlags &= ~kReadable;
    context_.ready.push(channel.token(), OpKind::kWatch, 0, true);
  }
}

void Readiness::acceptAll(Channel& channel) {
  const bool shared = (channel.flags & kInherited) != 0;
  const uint32_t most = shared ? kSharedAcceptsMin << channel.acceptDoublings : kAcceptsPerTurnMax;
  for (uint32_t i = 0; i < most; ++i) {
    const int fd = context_.sockets.accept(channel.fd);
    if (fd >= 0) {
      context_.ready.push(channel.token(), OpKind::kAccept, fd, true);
      continue;
    }
    if (fd == -EAGAIN || fd == -EWOULDBLOCK) {
      channel.engineFlags &= ~kReadable;
      channel.acceptDoublings = 0;
      return;
    }
    // The peer went away before we came to it: not an error of the listener.
    if (fd == -ECONNABORTED || fd == -EPROTO || fd == -ENETDOWN || fd == -EHOSTUNREACH) continue;
    context_.ready.push(channel.token(), OpKind::kAccept, fd, false);
    return;  // stays readable: accept() goes on from here
  }
  if (!shared) {
    resume(channel);
    return;
  }
  // Whoever takes all that wait leaves nothing to the other processes, which are waking up. What
  // is still there a little later, they do not want.
  if (channel.acceptDoublings < kSharedDoublingsMax) ++channel.acceptDoublings;
  channel.engineFlags |= kAcceptsLater;
  context_.ready.push(channel.token(), OpKind::kAccept, -EAGAIN, false);
}

void Readiness::finishConnect(Channel& channel) {
  const int error = context_.sockets.socketError(channel.fd);
  context_.ready.push(channel.token(), OpKind::kConnect, -error);
}

void Readiness::sendMore(Channel& channel) {
  iovec vectors[kSendVectorsMax];
  const uint32_t count = context_.queues.gather(channel.sends, vectors, kSendVectorsMax);
  if (count == 0) {  // a file is at the front: the loop sends it, now that there is room
    channel.engineFlags &= ~kWantSend;
    context_.ready.push(channel.token(), OpKind::kSend, 0);
    return;
  }
  const ssize_t sent = context_.sockets.send(channel.fd, vectors, count);
  if (sent == -EAGAIN || sent == -EWOULDBLOCK) {
    channel.engineFlags &= ~kWritable;
    return;
  }
  channel.engineFlags &= ~kWantSend;
  context_.ready.push(channel.token(), OpKind::kSend, static_cast<int32_t>(sent));
}

void Readiness::receiveSome(Channel& channel) {
  uint32_t taken = 0;
  ReceiveBuffers::Room room;
  while (taken < kConnectionBytesMax && context_.ready.room() > 1 && context_.buffers.room(&room)) {
    const ssize_t n = context_.sockets.receive(channel.fd, room.at, room.bytes);
    if (n > 0) {
      const auto bytes = static_cast<uint32_t>(n);
      context_.buffers.commit(bytes);
      ++context_.metrics.receives;
      context_.ready.push({channel.token(), OpKind::kReceive, true, static_cast<int32_t>(n),
                           room.block, room.offset});
      taken += bytes;
      channel.announced -= std::min(channel.announced, bytes);
      // A short read has emptied the socket, and whatever comes later is a new edge. Not so when
      // the edge also said hang-up: the FIN gives no second one. Nor on a Unix socket, where a read
      // stops at every descriptor that was passed.
      const bool emptied =
          bytes < room.bytes && channel.announced == 0 && !(channel.flags & kUnixSocket);
      if (emptied && !(channel.engineFlags & kHangup)) {
        channel.engineFlags &= ~kReadable;
        found(channel, Found::kLittle);
        return;
      }
      continue;
    }
    if (n == -EAGAIN || n == -EWOULDBLOCK) {
      ++context_.metrics.receivesEmpty;
      channel.announced = 0;
      channel.engineFlags &= ~(kReadable | kHangup);
      found(channel, taken == 0 ? Found::kNothing : Found::kMore);
      return;
    }
    channel.engineFlags &= ~(kReadable | kWantReceive);
    context_.ready.push(channel.token(), OpKind::kReceive, static_cast<int32_t>(n));
    return;
  }
  if (taken > 0) found(channel, Found::kMore);
}

}  // namespace ringpoll
