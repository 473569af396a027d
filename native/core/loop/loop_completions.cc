// From the engines to JavaScript: what each completion means for its channel.
#include <cerrno>

#include "core/base/assert.h"
#include "loop.h"

namespace ringpoll {

void Loop::dispatch() {
  // Handling a completion can bring about another one, so the end moves.
  for (size_t i = 0; i < ready_.size(); ++i) {
    const Completion completion = ready_[i];
    if (completion.kind == OpKind::kFile) {
      onFile(completion);
      continue;
    }
    Channel* channel = channels_.find(completion.token);
    if (channel == nullptr) {
      ++metrics_.staleEvents;
      if (completion.kind == OpKind::kAccept && completion.result >= 0) {
        sockets_.close(completion.result);
      }
      continue;
    }
    switch (completion.kind) {
      case OpKind::kAccept:
        onAccept(*channel, completion);
        break;
      case OpKind::kReceive:
        onReceive(*channel, completion);
        break;
      case OpKind::kSend:
        onSend(*channel, completion);
        break;
      case OpKind::kConnect:
        onConnect(*channel, completion);
        break;
      case OpKind::kWatch:
        if (completion.token == foreign_) foreignReady_ = true;
        if (completion.token == secondaryWatch_) secondaryReady_ = true;
        break;
      case OpKind::kClose:
        onClose(*channel);
        break;
      case OpKind::kDetach:
        onDetach(*channel);
        break;
      case OpKind::kHangup:
        onHangup(*channel);
        break;
      case OpKind::kFile:
        break;
    }
  }
  ready_.clear();
}

void Loop::onAccept(Channel& listener, const Completion& completion) {
  Owner& owner = owners_[listener.owner];
  if (completion.result == -EAGAIN) {
    if (listener.state != ChannelState::kOpen) return;
    timers_.arm(listener.timer, nowMs_, kSharedAcceptMs);
    acceptPaused_.push_back(listener.token());
    return;
  }
  if (completion.result < 0) {
    ++metrics_.acceptErrors;
    if (listener.state == ChannelState::kClosing) return;
    events_.push(EventKind::kAcceptError, listener, -completion.result);
    // Out of descriptors or memory: others may be served meanwhile, so ask again a little later,
    // or as soon as one of our connections is gone.
    timers_.arm(listener.timer, nowMs_, kAcceptRetryMs);
    acceptPaused_.push_back(listener.token());
    return;
  }
  const int fd = completion.result;
  if (!completion.more && listener.state == ChannelState::kOpen) {
    ++metrics_.ringRearms;
    engineOf(listener).accept(listener);
  }
  const bool over = listener.state == ChannelState::kClosing && !owner.draining;
  if (owner.connections >= owner.maxConnections || over) {
    ++metrics_.acceptDropped;
    sockets_.close(fd);
    return;
  }
  Channel* channel = openChannel(ChannelType::kConnection, fd, listener.owner);
  if (channel == nullptr) {
    ++metrics_.acceptErrors;
    sockets_.close(fd);
    return;
  }
  ++metrics_.accepted;
  channel->flags |= listener.flags & kUnixSocket;
  ++owner.connections;
  place(*channel, owner.hint);
  events_.push(EventKind::kOpen, *channel);
  const int attached = engineOf(*channel).attach(*channel);
  if (attached != 0) {
    fail(*channel, -attached, Syscall::kAccept);
    return;
  }
  openProtocol(*channel, owner);
  if (owner.idleTimeoutMs > 0) setIdleTimeout(*channel, owner.idleTimeoutMs);
  engineOf(*channel).receive(*channel);
}

void Loop::openProtocol(Channel& channel, const Owner& owner) {
  channel.protocol = owner.protocol;
  channel.protocol->open(channel, owner.settings.get(), nowMs_);
}

void Loop::onReceive(Channel& channel, const Completion& completion) {
  if (channel.state != ChannelState::kOpen) return;
  if (completion.result > 0) {
    const auto bytes = static_cast<uint32_t>(completion.result);
    channel.bytesRead += bytes;
    channel.activeMs = static_cast<uint32_t>(nowMs_);
    metrics_.bytesRead += bytes;
    meter_.received(routeOf(channel), bytes);
    if (channel.flags & kCloseWhenSent) return;
    channel.protocol->received(channel, {completion.block, completion.offset, bytes}, nowMs_);
    return;
  }
  if (completion.result < 0) {
    fail(channel, -completion.result, Syscall::kRead);
    return;
  }
  channel.flags |= kReadEnded;
  channel.protocol->peerEnded(channel);
  if (channel.flags & kWriteEnded) destroy(channel);
}

// Nobody reads, and so nobody would find out. A reset takes what is unread along; an end in order
// waits behind it, until somebody reads again.
void Loop::onHangup(Channel& channel) {
  if (channel.state != ChannelState::kOpen) return;
  if (const int error = sockets_.socketError(channel.fd); error != 0) {
    fail(channel, error, Syscall::kRead);
    return;
  }
  if (channel.flags & (kReadEnded | kCloseWhenSent)) return;
  if (sockets_.peek(channel.fd) != 0) return;
  channel.flags |= kReadEnded;
  channel.protocol->peerEnded(channel);
  destroy(channel);
}

void Loop::onSend(Channel& channel, const Completion& completion) {
  channel.flags &= ~kSending;
  if (channel.state != ChannelState::kOpen) return;
  if (completion.result >= 0) {
    sent(channel, static_cast<uint64_t>(completion.result));
  } else if (!socketIsFull(completion.result) && completion.result != -EINTR &&
             !kernelLacksMemory(completion.result)) {
    fail(channel, -completion.result, Syscall::kWrite);
    return;
  }
  migrateIfDue(channel);
  flushConnection(channel);
}

void Loop::onConnect(Channel& channel, const Completion& completion) {
  if (channel.state != ChannelState::kConnecting) return;
  timers_.cancel(channel.timer);
  if (completion.result != 0) {
    fail(channel, -completion.result, Syscall::kConnect);
    return;
  }
  ++metrics_.connected;
  channel.state = ChannelState::kOpen;
  events_.push(EventKind::kConnected, channel);
  openProtocol(channel, owners_[channel.owner]);
  setIdleTimeout(channel, channel.idleTimeoutMs);
  receiveIfWanted(channel);
  migrateIfDue(channel);
  markDirty(channel);  // what was written meanwhile, and an end that was asked for
}

void Loop::onTimer(Channel& channel) {
  if (channel.type == ChannelType::kListener) {
    resumeAccepting();
    return;
  }
  if (channel.state == ChannelState::kConnecting) {
    fail(channel, kErrorConnectTimeout, Syscall::kConnect);
    return;
  }
  if (channel.state != ChannelState::kOpen) return;
  if (channel.idleTimeoutMs == 0) {
    channel.protocol->timer(channel, nowMs_);
    return;
  }
  // Activity only notes the time; the timer is moved when it fires.
  const uint32_t idleMs = static_cast<uint32_t>(nowMs_) - channel.activeMs;
  if (idleMs < channel.idleTimeoutMs) {
    timers_.arm(channel.timer, nowMs_, channel.idleTimeoutMs - idleMs);
    return;
  }
  ++metrics_.idleTimeouts;
  events_.push(EventKind::kTimeout, channel);
  channel.activeMs = static_cast<uint32_t>(nowMs_);
  timers_.arm(channel.timer, nowMs_, channel.idleTimeoutMs);
}

void Loop::resumeAccepting() {
  for (Token token : acceptPaused_) {
    Channel* listener = channels_.find(token);
    if (listener == nullptr || listener->state != ChannelState::kOpen) continue;
    timers_.cancel(listener->timer);
    engineOf(*listener).accept(*listener);
    goOn(*listener);
  }
  acceptPaused_.clear();
}

void Loop::fail(Channel& channel, int error, Syscall syscall) {
  if (channel.state == ChannelState::kClosing) return;
  channel.closeError = error;
  channel.closeSyscall = static_cast<uint8_t>(syscall);
  destroy(channel);
}

void Loop::destroy(Channel& channel) {
  if (channel.state == ChannelState::kClosing) return;
  timers_.cancel(channel.timer);
  channel.state = ChannelState::kClosing;
  // JavaScript sees it before the event: nothing leaves any more, so nobody may go on writing.
  pending_[channel.slot] = kPendingOver;
  engineOf(channel).close(channel);
}

void Loop::onClose(Channel& channel) {
  RP_ASSERT(channel.state == ChannelState::kClosing);
  Owner& owner = owners_[channel.owner];
  const bool listener = channel.type == ChannelType::kListener;
  if (listener) {
    owner.isListener = false;
    events_.push(EventKind::kListenerClosed, channel);
  } else {
    ++metrics_.closed;
    --owner.connections;
    --connections_;
    queues_.clear(channel.sends, [this](uint32_t range) { files_.endRange(range, -ECANCELED); });
    channel.protocol->closed(channel);
    RP_ASSERT(pending_[channel.slot] == kPendingOver);
    const auto highs = static_cast<uint32_t>((channel.bytesRead >> 32 & 0xffff) << 16 |
                                             (channel.bytesWritten >> 32 & 0xffff));
    events_.push(EventKind::kClose, channel, channel.closeError | channel.closeSyscall << 24, highs,
                 static_cast<uint32_t>(channel.bytesRead),
                 static_cast<uint32_t>(channel.bytesWritten));
  }
  if (!owner.isListener && owner.connections == 0) {
    owner.live = false;
    owner.settings.reset();
    retiredOwners_.push_back(channel.owner);
  }
  --live_;
  channels_.release(channel);
  if (!acceptPaused_.empty()) resumeAccepting();
}

}  // namespace ringpoll
