// What the ring answers: from its completions to those of the engine.
#include "uring.h"

#include <cerrno>

#include "core/base/assert.h"

namespace ringpoll::uring {

namespace {

// Whether a short read may leave bytes behind. Urgent data is a reason: a read stops before it. But
// the kernel hands on what the wake-up said, and sock_def_readable() says POLLPRI and POLLRDBAND of
// all data. Only a mask that it asked the socket for tells of urgent data: tcp_poll() never says
// POLLRDBAND. It asks where there was more than one wake-up, and a segment that brings the urgent
// byte has two: one from tcp_urg(), one for its data.
constexpr bool mayHideMore(int ready) {
  if (ready & (POLLRDHUP | POLLHUP | POLLERR)) return true;
  return (ready & POLLPRI) && !(ready & POLLRDBAND);
}

}  // namespace

// They come before what is in the queue. False: some had to stay.
bool Uring::takePutBy() {
  size_t taken = 0;
  while (taken < putBy_.size() && context_.ready.room() > 0 && !context_.buffers.turnIsFull()) {
    take(putBy_[taken++].completion());
  }
  putBy_.erase(putBy_.begin(), putBy_.begin() + static_cast<ptrdiff_t>(taken));
  return putBy_.empty();
}

bool Uring::reap() {
  // The ring's own receives, and those by readiness, can each fill a turn: they come first by
  // turns.
  readinessFirst_ = readinessLeft_ && !readinessFirst_;
  if (readinessFirst_) readiness_.service();
  if (!putBy_.empty() && !takePutBy()) {
    readiness_.service();
    return true;
  }
  for (uint32_t round = 0; round < kReapRoundsMax; ++round) {
    ring_.drain([this] { return context_.ready.room() > 0 && !context_.buffers.turnIsFull(); },
                [this](const io_uring_cqe& cqe) { take(cqe); });
    if (context_.ready.room() == 0 || context_.buffers.turnIsFull() || !ring_.collect()) break;
  }
  readinessLeft_ = readiness_.service();
  return readinessLeft_ || ring_.hasCompletions();
}

void Uring::take(const io_uring_cqe& cqe) {
  const Tag tag = tagOf(cqe.user_data);
  if (tag == Tag::kIgnore) return;
  if (tag == Tag::kFile) {
    files_.take(cqe);
    return;
  }
  Channel* channel = context_.channels.find(tokenOf(cqe.user_data));
  // A channel outlives its operations, so every completion finds it.
  RP_ASSERT(channel != nullptr && channel->inKernel > 0);
  const bool more = (cqe.flags & IORING_CQE_F_MORE) != 0;
  if (!more) {
    --channel->inKernel;
    --inKernel_;
  }
  switch (tag) {
    case Tag::kPoll:
      polled(*channel, cqe, more);
      break;
    case Tag::kReceive:
      received(*channel, cqe, more);
      break;
    case Tag::kSend:
      channel->engineFlags &= ~kSendArmed;
      if (channel->operation == 0) {  // waited for room only
        context_.ready.push(channel->token(), OpKind::kSend, cqe.res < 0 ? cqe.res : 0);
        break;
      }
      giveRecord(*channel);
      context_.ready.push(channel->token(), OpKind::kSend, cqe.res);
      break;
    case Tag::kConnect:
      channel->engineFlags &= ~kConnectArmed;
      giveRecord(*channel);
      context_.ready.push(channel->token(), OpKind::kConnect, cqe.res);
      break;
    case Tag::kIgnore:
    case Tag::kFile:
    case Tag::kSendTogether:
      break;
  }
  if (channel->inKernel > 0) return;
  if (channel->state == ChannelState::kClosing) {
    finishClose(*channel);
  } else if (channel->engineFlags & kDetaching) {
    finishDetach(*channel);
  }
}

void Uring::polled(Channel& channel, const io_uring_cqe& cqe, bool more) {
  if (!more) channel.engineFlags &= ~kPollArmed;
  if (channel.state == ChannelState::kClosing || (channel.engineFlags & kDetaching)) return;
  uint8_t ready = 0;
  if (cqe.res < 0) {
    ready = Readiness::kIn | Readiness::kHup;  // the read tells what is wrong
  } else {
    if (cqe.res & POLLIN) ready |= Readiness::kIn;
    if (mayHideMore(cqe.res)) ready |= Readiness::kIn | Readiness::kHup;
  }
  if (!more && cqe.res >= 0) {
    ++context_.metrics.ringRearms;
    armPoll(channel, channel.onlyReadable() ? POLLIN : kReadInterest);
  }
  const bool gone = cqe.res < 0 || (cqe.res & (POLLHUP | POLLERR));
  if (channel.type == ChannelType::kConnection && channel.route == Route::kCompletion) {
    if (gone) readiness_.tellGone(channel);
    return;
  }
  if (gone) ready |= Readiness::kGone;
  readiness_.mark(channel, ready);
}

void Uring::received(Channel& channel, const io_uring_cqe& cqe, bool more) {
  if (!more) channel.engineFlags &= ~(kReceiveArmed | kCancelling);
  if (cqe.res > 0) {
    const uint32_t index = cqe.flags >> IORING_CQE_BUFFER_SHIFT;
    ring_.bufferTaken(index);
    tookBuffers_ = true;
    channel.starvations = 0;
    context_.buffers.charge(static_cast<uint32_t>(cqe.res));
    if (channel.state == ChannelState::kClosing) return;
    ++context_.metrics.receives;
    context_.ready.push(
        {channel.token(), OpKind::kReceive, true, cqe.res, ring_.bufferBlock(index), 0});
    if (!more && (channel.engineFlags & kWantReceive)) {
      ++context_.metrics.ringRearms;
      armReceive(channel);
    }
    return;
  }
  if (channel.state == ChannelState::kClosing || more) return;
  if (cqe.res == -ECANCELED) {
    if (channel.engineFlags & kWantReceive) armReceive(channel);
    return;
  }
  if (cqe.res == -ENOBUFS) {
    ++context_.metrics.bufferExhaustions;
    ++channel.starvations;
    starved_.push_back(channel.token());
    return;
  }
  channel.engineFlags &= ~kWantReceive;
  if (cqe.res == 0) listenForHangup(channel);  // its other half is open still
  context_.ready.push(channel.token(), OpKind::kReceive, cqe.res);
}

void Uring::endTurn() {
  if (!tookBuffers_ && starved_.empty()) return;
  tookBuffers_ = false;
  const bool available = ring_.recycleBuffers();
  for (Token token : starved_) {
    Channel* channel = context_.channels.find(token);
    if (channel == nullptr || !(channel->engineFlags & kWantReceive)) continue;
    // With every buffer retained, readiness is the way out: it brings its own memory. So it is
    // where others take all buffers again and again: receives that are armed still get them first.
    if (!available || channel->starvations >= kStarvationsMax) {
      channel->starvations = 0;
      channel->route = channel->nextRoute = Route::kReadiness;
      // What a poll that was armed already has told, nobody noted.
      if (channel->engineFlags & kPollArmed) readiness_.mark(*channel, Readiness::kIn);
    }
    receive(*channel);
  }
  starved_.clear();
}

}  // namespace ringpoll::uring
