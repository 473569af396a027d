// Listeners for which another thread accepts, and what that thread sees of this loop.
#include <cerrno>

#include "core/base/assert.h"
#include "core/system/wake.h"
#include "loop.h"

namespace ringpoll {

SocketResult Loop::takeFrom(std::shared_ptr<AcceptSource> source, Endpoint settings,
                            uint32_t* endpoint) {
  RP_ASSERT(counters_ != nullptr);  // else the acceptor would not know that it has to wake us
  settings.isListener = true;
  if (settings.protocol == nullptr) settings.protocol = protocols_[0].get();
  const int fd = duplicate(source->wakeFd());
  if (fd < 0) return {-1, -fd, Syscall::kListen};
  const uint16_t flags = source->address().family == AF_UNIX ? kUnixSocket : 0;
  int error = 0;
  Channel* channel = openAttached(ChannelType::kMailbox, fd, flags, settings, endpoint, &error);
  if (channel == nullptr) return {-1, error, Syscall::kListen};
  channel->state = ChannelState::kOpen;
  endpoints_[*endpoint].listener = channel->token();
  state_.engineOf(*channel).watch(*channel);
  source->joined();
  handed_.push_back({channel->token(), std::move(source)});
  return {fd, 0, Syscall::kNone};
}

void Loop::countIn(std::shared_ptr<LoopCounters> counters) {
  uncount();
  counters_ = std::move(counters);
}

AddressText Loop::listenerAddress(uint32_t endpoint) {
  const Endpoint* known = endpoints_.find(endpoint);
  if (known == nullptr) return {};
  if (const AcceptSource* source = sourceOf(known->listener); source != nullptr) {
    return source->address();
  }
  const Channel* channel = state_.channels.find(known->listener);
  return channel == nullptr ? AddressText{} : localAddress(channel->fd);
}

AcceptSource* Loop::sourceOf(Token mailbox) {
  for (const Handed& each : handed_) {
    if (each.mailbox == mailbox) return each.source.get();
  }
  return nullptr;
}

// The note comes first, then the look: an acceptor brings first, then looks for the note.
int64_t Loop::beginWait(int64_t timeoutNs) {
  counters_->turnSinceMs.store(0, std::memory_order_relaxed);
  if (timeoutNs == 0 || handed_.empty()) return timeoutNs;
  counters_->waiting.fetch_add(1, std::memory_order_acq_rel);
  saysItWaits_ = true;
  for (const Handed& each : handed_) {
    if (!each.source->empty()) return 0;
  }
  return timeoutNs;
}

void Loop::endWait() {
  counters_->turnSinceMs.store(state_.nowMs, std::memory_order_relaxed);
  if (!saysItWaits_) return;
  counters_->waiting.fetch_sub(1, std::memory_order_relaxed);
  saysItWaits_ = false;
}

void Loop::takeHanded() {
  for (const Handed& each : handed_) {
    const Channel* mailbox = state_.channels.find(each.mailbox);
    if (mailbox == nullptr || mailbox->state != ChannelState::kOpen) continue;
    takeHanded(*mailbox, *each.source, each.source->turnMax());
    if (!each.source->empty()) state_.moreReady = true;
  }
}

// As if this thread had accepted them.
void Loop::takeHanded(const Channel& mailbox, AcceptSource& source, uint32_t most) {
  for (uint32_t i = 0; i < most; ++i) {
    const int fd = source.take();
    if (fd < 0) return;
    state_.ready.push(mailbox.token(), OpKind::kAccept, fd, true);
  }
}

void Loop::leaveMailbox(const Channel& mailbox) {
  std::erase_if(handed_, [&](const Handed& each) {
    if (each.mailbox != mailbox.token()) return false;
    each.source->left();
    return true;
  });
}

void Loop::count() {
  const auto added = static_cast<uint32_t>(connections_ - connectionsCounted_);
  if (added != 0) counters_->connections.fetch_add(added, std::memory_order_relaxed);
  connectionsCounted_ = connections_;
  const uint64_t accepted = state_.metrics.accepted - acceptedCounted_;
  if (accepted != 0) counters_->accepted.fetch_add(accepted, std::memory_order_relaxed);
  acceptedCounted_ = state_.metrics.accepted;
  counters_->turns.store(counters_->turns.load(std::memory_order_relaxed) + 1,
                         std::memory_order_relaxed);
}

void Loop::uncount() {
  if (counters_ == nullptr) return;
  if (saysItWaits_) endWait();
  counters_->connections.fetch_sub(connectionsCounted_, std::memory_order_relaxed);
  counters_->turnSinceMs.store(0, std::memory_order_relaxed);
  connectionsCounted_ = 0;
}

}  // namespace ringpoll
