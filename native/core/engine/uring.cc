// What is asked of the ring: operations, cancels, and the end.
#include "uring.h"

#include <chrono>
#include <utility>

#include "core/base/assert.h"

namespace ringpoll {

namespace uring {

Record& Uring::record(Channel& channel) {
  if (freeRecords_.empty()) {
    records_.emplace_back();
    freeRecords_.push_back(static_cast<uint32_t>(records_.size()) - 1);
  }
  channel.operation = freeRecords_.back() + 1;
  freeRecords_.pop_back();
  return records_[channel.operation - 1];
}

void Uring::giveRecord(Channel& channel) {
  RP_ASSERT(channel.operation != 0);
  freeRecords_.push_back(channel.operation - 1);
  channel.operation = 0;
}

void Uring::armPoll(Channel& channel, unsigned mask) {
  io_uring_sqe* sqe = ring_.next(tagged(channel.token(), Tag::kPoll));
  io_uring_prep_poll_multishot(sqe, channel.fd, mask);
  submitted(channel, kPollArmed);
}

void Uring::armReceive(Channel& channel) {
  io_uring_sqe* sqe = ring_.next(tagged(channel.token(), Tag::kReceive));
  io_uring_prep_recv_multishot(sqe, channel.fd, nullptr, 0, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = Ring::kBufferGroup;
  submitted(channel, kReceiveArmed);
}

void Uring::accept(Channel& listener) {
  if (!(listener.engineFlags & kPollArmed)) armPoll(listener, POLLIN);
  readiness_.accept(listener);
}

void Uring::receive(Channel& channel) {
  channel.engineFlags |= kWantReceive;
  if (channel.route == Route::kCompletion && !ring_.provideBuffers()) {
    channel.route = channel.nextRoute = Route::kReadiness;
  }
  if (channel.route == Route::kCompletion) {
    // While a cancel is under way its completion arms the receive again.
    if (!(channel.engineFlags & kReceiveArmed)) armReceive(channel);
    return;
  }
  if (!(channel.engineFlags & kPollArmed)) armPoll(channel, kReadInterest);
  readiness_.resume(channel);
}

void Uring::pauseReceive(Channel& channel) {
  channel.engineFlags &= ~kWantReceive;
  if ((channel.engineFlags & kReceiveArmed) && !(channel.engineFlags & kCancelling)) {
    channel.engineFlags |= kCancelling;
    cancel(channel, Tag::kReceive);
  }
  listenForHangup(channel);
}

// By the route of completions nothing is armed while nothing is received.
void Uring::listenForHangup(Channel& channel) {
  if (channel.state != ChannelState::kOpen) return;
  if (channel.engineFlags & (kPollArmed | kDetaching)) return;
  armPoll(channel, kReadInterest);
}

// By name: the kernel finds it in a hash table. A cancel by descriptor looks at every operation
// that the ring holds, so that many closes at once would cost the square of their number.
void Uring::cancel(Channel& channel, Tag tag) {
  io_uring_sqe* sqe = ring_.next(static_cast<uint64_t>(Tag::kIgnore) << 56);
  io_uring_prep_cancel64(sqe, tagged(channel.token(), tag), 0);
}

void Uring::cancelAll(Channel& channel) {
  constexpr std::pair<EngineFlag, Tag> kinds[] = {{kPollArmed, Tag::kPoll},
                                                  {kReceiveArmed, Tag::kReceive},
                                                  {kSendArmed, Tag::kSend},
                                                  {kConnectArmed, Tag::kConnect}};
  for (const auto& [flag, tag] : kinds) {
    if (channel.engineFlags & flag) cancel(channel, tag);
  }
}

void Uring::send(Channel& channel) {
  // A file is at the front, or datagrams wait: they are sent elsewhere, when there is room.
  if (channel.type == ChannelType::kDatagram || context_.queues.frontIsFile(channel.sends)) {
    io_uring_sqe* sqe = ring_.next(tagged(channel.token(), Tag::kSend));
    io_uring_prep_poll_add(sqe, channel.fd, POLLOUT);
    submitted(channel, kSendArmed);
    return;
  }
  Record& slot = record(channel);
  slot.message = msghdr{};
  slot.message.msg_iov = slot.vectors;
  slot.message.msg_iovlen = context_.queues.gather(channel.sends, slot.vectors, kSendVectorsMax);
  io_uring_sqe* sqe = ring_.next(tagged(channel.token(), Tag::kSend));
  io_uring_prep_sendmsg(sqe, channel.fd, &slot.message, MSG_NOSIGNAL);
  submitted(channel, kSendArmed);
}

void Uring::connect(Channel& channel, const SocketAddress& address) {
  Record& slot = record(channel);
  slot.address = address;
  io_uring_sqe* sqe = ring_.next(tagged(channel.token(), Tag::kConnect));
  io_uring_prep_connect(sqe, channel.fd, slot.address.get(), slot.address.length);
  submitted(channel, kConnectArmed);
}

void Uring::detach(Channel& channel) {
  channel.engineFlags &= ~kWantReceive;
  channel.engineFlags |= kDetaching;
  cancelAll(channel);
  if (channel.inKernel == 0) finishDetach(channel);
}

// The last completion of what was armed has been taken, so no byte can come by the old route.
void Uring::finishDetach(Channel& channel) {
  readiness_.forget(channel);
  // It may have starved in this very turn. Whoever serves it next looks at the socket anew; at the
  // end of the turn it would be armed here, behind the back of the other engine.
  std::erase(starved_, channel.token());
  channel.engineFlags &= ~(kDetaching | kCancelling);
  context_.ready.push(channel.token(), OpKind::kDetach, 0);
}

void Uring::letGo(Channel& channel) {
  detach(channel);
  const auto taken = [&](const io_uring_cqe& cqe) {
    const Tag tag = tagOf(cqe.user_data);
    const bool other = tag == Tag::kIgnore || tag == Tag::kFile || tag == Tag::kSendTogether ||
                       tokenOf(cqe.user_data) != channel.token();
    if (other) {
      putBy_.emplace_back(cqe);
    } else {
      take(cqe);
    }
  };
  for (const PutBy& one : std::exchange(putBy_, {})) taken(one.completion());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kStopWaitMs);
  while (channel.inKernel > 0 && std::chrono::steady_clock::now() < deadline) {
    ring_.enter(10'000'000);
    ring_.drain([] { return true; }, taken);
  }
}

void Uring::close(Channel& channel) {
  channel.engineFlags &= ~(kWantReceive | kWantSend);
  if (channel.inKernel == 0) {
    finishClose(channel);
    return;
  }
  // The operations in the ring hold the socket open, so the FIN is sent now, not at the last
  // completion. A reset must not be preceded by a FIN.
  const bool ends = !(channel.flags & kResetOnClose) && !(channel.lifeFlags & kHandedAway);
  if (channel.type == ChannelType::kConnection && ends) {
    context_.sockets.shutdownBoth(channel.fd);
  }
  cancelAll(channel);
  if (channel.type != ChannelType::kListener) return;
  // Its address is free, and nobody else is taken into its queue, from now on and not some time
  // later: the poll that the kernel has just forgotten was the last that held the socket.
  ring_.enter(0);
  context_.sockets.close(std::exchange(channel.fd, -1));
}

void Uring::finishClose(Channel& channel) {
  RP_ASSERT(channel.inKernel == 0);
  if (channel.type != ChannelType::kWatch && channel.fd >= 0) context_.sockets.close(channel.fd);
  channel.fd = -1;
  channel.engineFlags = 0;
  context_.ready.push(channel.token(), OpKind::kClose, 0);
}

// Cancels everything and waits until the kernel has let go, so that no buffer of ours is written
// to after this returns.
bool Uring::stop() {
  if (!ring_.isOpen()) return true;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kStopWaitMs);
  const auto held = [this] { return inKernel_ + files_.inKernel(); };
  if (held() > 0) {
    io_uring_sqe* sqe = ring_.next(0);
    io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
  }
  const auto drop = [this](const io_uring_cqe& cqe) {
    if (tagOf(cqe.user_data) == Tag::kIgnore) return;
    if (tagOf(cqe.user_data) == Tag::kFile) {
      files_.drop(cqe);
      return;
    }
    if (cqe.flags & IORING_CQE_F_MORE) return;
    Channel* channel = context_.channels.find(tokenOf(cqe.user_data));
    --inKernel_;
    if (channel != nullptr && channel->inKernel > 0) --channel->inKernel;
  };
  for (const PutBy& one : std::exchange(putBy_, {})) drop(one.completion());
  while (held() > 0 && std::chrono::steady_clock::now() < deadline) {
    ring_.enter(10'000'000);
    ring_.drain([] { return true; }, drop);
  }
  const bool released = held() == 0;
  if (released) ring_.close();
  return released;
}

}  // namespace uring

std::unique_ptr<Engine> makeUring(EngineContext context, const EngineOptions& options) {
  return std::make_unique<uring::Uring>(context, options);
}

}  // namespace ringpoll
