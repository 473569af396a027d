// From the engines to JavaScript: what each completion means for its channel.
#include <cerrno>

#include "core/base/assert.h"
#include "core/base/probes.h"
#include "core/system/wake.h"
#include "loop.h"

namespace ringpoll {

void Loop::dispatch() {
  // Handling a completion can bring about another one, so the end moves.
  for (size_t i = 0; i < state_.ready.size(); ++i) {
    Completion completion = state_.ready[i];
    if (completion.kind == OpKind::kFile) {
      fileSender_.onCompletion(completion);
      continue;
    }
    Channel* channel = state_.channels.find(completion.token);
    if (channel == nullptr) {
      ++state_.metrics.staleEvents;
      if (completion.kind == OpKind::kAccept && completion.result >= 0) {
        state_.sockets.close(completion.result);
      }
      continue;
    }
    if (faults_ != nullptr && faults_->takes(*channel, completion)) continue;
    complete(*channel, completion);
  }
  state_.ready.clear();
}

void Loop::complete(Channel& channel, const Completion& completion) {
  switch (completion.kind) {
    case OpKind::kAccept:
      onAccept(channel, completion);
      break;
    case OpKind::kReceive:
      onReceive(channel, completion);
      break;
    case OpKind::kSend:
      if (channel.type == ChannelType::kDatagram) {
        channel.protocol->writable(channel);
      } else {
        sender_.onSend(channel, completion);
      }
      break;
    case OpKind::kConnect:
      onConnect(channel, completion);
      break;
    case OpKind::kWatch:
      if (channel.type == ChannelType::kDatagram || (channel.engineFlags & kTellsReadable)) {
        const LayerScope scope(state_.layers, Layer::kParse);
        channel.protocol->readable(channel, state_.nowMs);
      }
      if (channel.type == ChannelType::kMailbox) Wake::clear(channel.fd);
      if (completion.token == foreign_) foreignReady_ = true;
      // One that takes none leaves the signal to the loop that does.
      if (completion.token == arrivalsWatch_ && takesArrivals_) {
        Wake::clear(channel.fd);
        receiveArrivals();
      }
      if (completion.token == secondaryWatch_) state_.secondaryReady = true;
      break;
    case OpKind::kClose:
      onClose(channel);
      break;
    case OpKind::kDetach:
      routes_.onDetach(channel);
      break;
    case OpKind::kHangup:
      onHangup(channel);
      break;
    case OpKind::kFile:
      break;
  }
}

void Loop::onAccept(Channel& listener, const Completion& completion) {
  Endpoint& endpoint = endpoints_[listener.endpoint];
  if (completion.result == -EAGAIN) {
    if (listener.state == ChannelState::kOpen) pauseAccepting(listener, kSharedAcceptMs);
    return;
  }
  if (completion.result < 0) {
    ++state_.metrics.acceptErrors;
    if (listener.state == ChannelState::kClosing) return;
    state_.events.push(EventKind::kAcceptError, listener, -completion.result);
    // Out of descriptors or memory: others may be served meanwhile, so ask again a little later,
    // or as soon as one of our connections is gone.
    pauseAccepting(listener, kAcceptRetryMs);
    return;
  }
  const int fd = completion.result;
  if (!completion.more && listener.state == ChannelState::kOpen) {
    ++state_.metrics.ringRearms;
    state_.engineOf(listener).accept(listener);
  }
  const bool over = listener.state == ChannelState::kClosing && !endpoint.draining;
  if (endpoint.connections >= endpoint.maxConnections || over) {
    ++state_.metrics.acceptDropped;
    state_.sockets.close(fd);
    return;
  }
  sockaddr_storage peer{};
  if (endpoint.gate != nullptr && !mayConnect(*endpoint.gate, fd, &peer)) {
    ++state_.metrics.acceptDropped;
    setResetOnClose(fd);  // nothing of it is left in the kernel
    state_.sockets.close(fd);
    return;
  }
  Channel* channel = openChannel(ChannelType::kConnection, fd, listener.endpoint);
  if (channel == nullptr) {
    ++state_.metrics.acceptErrors;
    state_.sockets.close(fd);
    return;
  }
  ++state_.metrics.accepted;
  RP_PROBE2(accept, channel->slot, fd);
  channel->flags |= listener.flags & kUnixSocket;
  ++endpoint.connections;
  if (endpoint.gate != nullptr) endpoint.gate->enter(peer, channel->token());
  routes_.place(*channel, endpoint.hint);
  if (endpoint.filter == nullptr) {
    state_.events.push(EventKind::kOpen, *channel);
  } else {
    openFilter(*channel, endpoint);
  }
  const int attached = state_.engineOf(*channel).attach(*channel);
  if (attached != 0) {
    fail(*channel, -attached, Syscall::kAccept);
    return;
  }
  if (endpoint.filter == nullptr) {
    openProtocol(*channel, endpoint);
    if (endpoint.idleTimeoutMs > 0) setIdleTimeout(*channel, endpoint.idleTimeoutMs);
  }
  state_.engineOf(*channel).receive(*channel);
}

// Who is gone already is not worth a connection either.
bool Loop::mayConnect(AccessGate& gate, int fd, sockaddr_storage* peer) {
  return peerOf(fd, peer) && gate.ask(*peer, state_.nowMs) == AccessGate::Verdict::kAdmitted;
}

void Loop::acceptWaiting(const Channel& listener) {
  if (AcceptSource* source = sourceOf(listener.token()); source != nullptr) {
    takeHanded(listener, *source, kStopAcceptsMax);
    return;
  }
  if (listener.flags & kInherited) return;  // others serve them
  for (uint32_t i = 0; i < kStopAcceptsMax; ++i) {
    const int fd = state_.sockets.accept(listener.fd);
    if (fd == -ECONNABORTED) continue;
    if (fd < 0) return;
    state_.ready.push(listener.token(), OpKind::kAccept, fd, true);
  }
}

void Loop::openProtocol(Channel& channel, const Endpoint& endpoint) {
  channel.protocol = endpoint.protocol;
  channel.protocol->open(channel, endpoint.settings.get(), state_.nowMs);
  state_.liveness.review(channel);
}

// Until it announces the connection, that speaks raw bytes, of which none come.
void Loop::openFilter(Channel& channel, Endpoint& endpoint) {
  ++endpoint.unannounced;
  endpoint.filter->open(channel, endpoint.filterSettings.get(), state_.nowMs);
  RP_ASSERT(channel.filtered != nullptr);
}

void Loop::announce(Channel& channel) {
  tellOfOpen(channel);
  openProtocol(channel, endpoints_[channel.endpoint]);
}

// Raw bytes are what it speaks already.
void Loop::announceRaw(Channel& channel) { tellOfOpen(channel); }

void Loop::tellOfOpen(Channel& channel) {
  RP_ASSERT(!channel.filtered->announced);
  Endpoint& endpoint = endpoints_[channel.endpoint];
  timers_.cancel(channel.timer);
  channel.filtered->announced = true;
  state_.events.push(endpoint.outgoing ? EventKind::kConnected : EventKind::kOpen, channel);
  if (endpoint.idleTimeoutMs > 0) setIdleTimeout(channel, endpoint.idleTimeoutMs);
  endUnannounced(channel, endpoint);
}

void Loop::endUnannounced(const Channel& channel, Endpoint& endpoint) {
  if (--endpoint.unannounced > 0 || !endpoint.endHeld) return;
  endpoint.endHeld = false;
  state_.events.push(EventKind::kListenerClosed, channel);
}

void Loop::onReceive(Channel& channel, const Completion& completion) {
  if (channel.state != ChannelState::kOpen) return;
  if (completion.result > 0) {
    const auto bytes = static_cast<uint32_t>(completion.result);
    channel.bytesRead += bytes;
    channel.activeMs = static_cast<uint32_t>(state_.nowMs);
    state_.metrics.bytesRead += bytes;
    routes_.received(channel, bytes);
    RP_PROBE2(receive, channel.slot, bytes);
    if (channel.flags & kCloseWhenSent) return;
    const Layer at = channel.filtered == nullptr ? Layer::kParse : Layer::kTls;
    const LayerScope scope(state_.layers, at);
    layer(channel).received(channel, {completion.block, completion.offset, bytes}, state_.nowMs);
    return;
  }
  if (completion.result < 0) {
    fail(channel, -completion.result, Syscall::kRead);
    return;
  }
  channel.flags |= kReadEnded;
  layer(channel).peerEnded(channel);
  if (channel.flags & kWriteEnded) bothEnded(channel);
  state_.liveness.review(channel);
}

void Loop::endReading(Channel& channel) {
  if (channel.state != ChannelState::kOpen || (channel.flags & kReadEnded)) return;
  state_.engineOf(channel).pauseReceive(channel);
  channel.flags |= kReadEnded;
  channel.protocol->peerEnded(channel);
  if (channel.flags & kWriteEnded) destroy(channel);
}

// Nobody reads, and so nobody would find out. A reset takes what is unread along; an end in order
// waits behind it, until somebody reads again.
void Loop::onHangup(Channel& channel) {
  if (channel.state != ChannelState::kOpen) return;
  if (const int error = state_.sockets.socketError(channel.fd); error != 0) {
    fail(channel, error, Syscall::kRead);
    return;
  }
  if (channel.flags & (kReadEnded | kCloseWhenSent)) return;
  if (state_.sockets.peek(channel.fd) != 0) return;
  channel.flags |= kReadEnded;
  layer(channel).peerEnded(channel);
  bothEnded(channel);
  state_.liveness.review(channel);
}

void Loop::bothEnded(Channel& channel) {
  if (!(channel.lifeFlags & kClosedByOwner)) destroy(channel);
}

void Loop::onConnect(Channel& channel, const Completion& completion) {
  if (channel.state != ChannelState::kConnecting) return;
  timers_.cancel(channel.timer);
  if (completion.result != 0) {
    fail(channel, -completion.result, Syscall::kConnect);
    return;
  }
  if (faults_ != nullptr && faults_->refuses(channel)) {
    fail(channel, ECONNREFUSED, Syscall::kConnect);
    return;
  }
  ++state_.metrics.connected;
  channel.state = ChannelState::kOpen;
  opened(channel);
}

// An outgoing one.
void Loop::opened(Channel& channel) {
  Endpoint& endpoint = endpoints_[channel.endpoint];
  if (endpoint.filter == nullptr) {
    state_.events.push(EventKind::kConnected, channel);
    openProtocol(channel, endpoint);
    setIdleTimeout(channel, channel.idleTimeoutMs);
  } else {
    openFilter(channel, endpoint);
    if (channel.state != ChannelState::kOpen) return;
  }
  routes_.receiveIfWanted(channel);
  routes_.migrateIfDue(channel);
  sender_.markDirty(channel);  // what was written meanwhile, and an end that was asked for
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
  if (lingering_.onTimer(channel)) return;
  if (!channel.known()) {
    channel.filtered->filter.timer(channel, state_.nowMs);
    return;
  }
  if (channel.idleTimeoutMs == 0) {
    channel.protocol->timer(channel, state_.nowMs);
    return;
  }
  // Activity only notes the time; the timer is moved when it fires.
  const uint32_t idleMs = static_cast<uint32_t>(state_.nowMs) - channel.activeMs;
  if (idleMs < channel.idleTimeoutMs) {
    timers_.arm(channel.timer, state_.nowMs, channel.idleTimeoutMs - idleMs);
    return;
  }
  ++state_.metrics.idleTimeouts;
  state_.events.push(EventKind::kTimeout, channel);
  channel.activeMs = static_cast<uint32_t>(state_.nowMs);
  timers_.arm(channel.timer, state_.nowMs, channel.idleTimeoutMs);
}

void Loop::pauseAccepting(Channel& listener, uint32_t delayMs) {
  timers_.arm(listener.timer, state_.nowMs, delayMs);
  acceptPaused_.push_back(listener.token());
}

void Loop::resumeAccepting() {
  for (Token token : acceptPaused_) {
    Channel* listener = state_.channels.find(token);
    if (listener == nullptr || listener->state != ChannelState::kOpen) continue;
    timers_.cancel(listener->timer);
    state_.engineOf(*listener).accept(*listener);
    state_.requestAnotherTurn(*listener);
  }
  acceptPaused_.clear();
}

void Loop::fail(Channel& channel, int error, Syscall syscall) {
  if (channel.state == ChannelState::kClosing) return;
  RP_PROBE2(error, channel.slot, error);
  channel.closeError = error;
  channel.closeSyscall = static_cast<uint8_t>(syscall);
  destroy(channel);
}

void Loop::destroy(Channel& channel) {
  if (channel.state == ChannelState::kClosing) return;
  timers_.cancel(channel.timer);
  lingering_.ended(channel);
  channel.state = ChannelState::kClosing;
  // JavaScript sees it before the event: nothing leaves any more, so nobody may go on writing.
  pending_[channel.slot] = kPendingOver;
  state_.liveness.review(channel);
  state_.engineOf(channel).close(channel);
}

void Loop::closeInOrder(Channel& channel) {
  if (!lingering_.begin(channel)) destroy(channel);
}

void Loop::pushClose(const Channel& channel) {
  const auto highs = static_cast<uint32_t>((channel.bytesRead >> 32 & 0xffff) << 16 |
                                           (channel.bytesWritten >> 32 & 0xffff));
  state_.events.push(
      channel.protocol->closeEvent(), channel, channel.closeError | channel.closeSyscall << 24,
      highs, static_cast<uint32_t>(channel.bytesRead), static_cast<uint32_t>(channel.bytesWritten));
}

void Loop::onClose(Channel& channel) {
  RP_ASSERT(channel.state == ChannelState::kClosing);
  Endpoint& endpoint = endpoints_[channel.endpoint];
  const bool mailbox = channel.type == ChannelType::kMailbox;
  const bool listener = mailbox || channel.type == ChannelType::kListener;
  if (mailbox) leaveMailbox(channel);
  if (listener) {
    endpoint.isListener = false;
    endpoint.endHeld = endpoint.unannounced > 0;
    if (!endpoint.endHeld) state_.events.push(EventKind::kListenerClosed, channel);
  } else if (channel.type == ChannelType::kDatagram) {
    --endpoint.connections;
    channel.protocol->closed(channel);
    pushClose(channel);
  } else {
    ++state_.metrics.closed;
    RP_PROBE2(close, channel.slot, channel.bytesRead);
    --endpoint.connections;
    --connections_;
    if (endpoint.gate != nullptr) endpoint.gate->leave(channel.token());
    const auto endFile = [this](uint32_t range) { files_.endRange(range, -ECANCELED); };
    state_.queues.clear(channel.sends, endFile);
    if (channel.filtered != nullptr) state_.queues.clear(channel.filtered->plain, endFile);
    channel.protocol->closed(channel);
    const bool told = channel.known() || endpoint.outgoing;
    if (!channel.known()) endUnannounced(channel, endpoint);
    if (channel.filtered != nullptr) channel.filtered->filter.closed(channel);
    RP_ASSERT(pending_[channel.slot] == kPendingOver);
    if (told) pushClose(channel);
  }
  if (faults_ != nullptr) faults_->forget(channel);
  endpoints_.retireIfOver(channel.endpoint);
  --live_;
  state_.channels.release(channel);
  if (!acceptPaused_.empty()) resumeAccepting();
}

}  // namespace ringpoll
