// The io_uring engine. Connections receive by one of two routes:
//   readiness   a multishot poll stays in the ring, and we read into warm memory when it fires;
//   completion  a multishot receive stays in the ring, and the kernel picks a provided buffer.
// Sends that the socket did not take at once are SENDMSG operations, whose memory is pinned.
#include "engine.h"

#ifdef __linux__

#include <poll.h>

#include <cerrno>
#include <chrono>
#include <deque>

#include "../accepted.h"
#include "../assert.h"
#include "readiness.h"
#include "uring_files.h"
#include "uring_ring.h"

namespace ringpoll {

namespace {

constexpr unsigned kReadInterest = POLLIN | POLLRDHUP | POLLPRI | POLLRDBAND;

// Whether a short read may leave bytes behind. Urgent data is a reason: a read stops before it. But
// the kernel hands on what the wake-up said, and sock_def_readable() says POLLPRI and POLLRDBAND of
// all data. Only a mask that it asked the socket for tells of urgent data: tcp_poll() never says
// POLLRDBAND. It asks where there was more than one wake-up, and a segment that brings the urgent
// byte has two: one from tcp_urg(), one for its data.
constexpr bool mayHideMore(int ready) {
  if (ready & (POLLRDHUP | POLLHUP | POLLERR)) return true;
  return (ready & POLLPRI) && !(ready & POLLRDBAND);
}

// The top byte of user_data: which operation of the channel.
enum class Tag : uint8_t { kIgnore, kPoll, kReceive, kAccept, kSend, kConnect, kFile };

constexpr uint64_t tagged(Token token, Tag tag) {
  return token | static_cast<uint64_t>(tag) << 56;
}
constexpr Tag tagOf(uint64_t userData) { return static_cast<Tag>(userData >> 56); }
constexpr Token tokenOf(uint64_t userData) { return userData & 0x00ff'ffff'ffff'ffffull; }

// What the kernel reads while a send or connect is under way: must not move.
struct Record {
  msghdr message;
  iovec vectors[kSendVectorsMax];
  SocketAddress address;
};

class Uring final : public Engine {
 public:
  Uring(EngineContext context, const EngineOptions& options)
      : context_(context),
        options_(options),
        readiness_(context),
        ring_(context.arena, context.metrics),
        files_(ring_, context.ready, context.metrics, static_cast<uint8_t>(Tag::kFile),
               static_cast<uint8_t>(Tag::kIgnore)) {}
  ~Uring() override { stop(); }

  const char* name() const override { return "uring"; }
  std::string start() override { return ring_.open(options_.completionEntries); }
  bool stop() override;

  int attach(Channel&) override { return 0; }
  void accept(Channel& listener) override;
  void receive(Channel& channel) override;
  void pauseReceive(Channel& channel) override;
  void send(Channel& channel) override;
  void connect(Channel& channel, const SocketAddress& address) override;
  void watch(Channel& channel) override { armPoll(channel, POLLIN); }
  void detach(Channel& channel) override;
  void close(Channel& channel) override;
  void wait(int64_t timeoutNs) override { ring_.enter(timeoutNs); }
  bool reap() override;
  void endTurn() override;
  FileEngine* files() override { return &files_; }

 private:
  void submitted(Channel& channel, EngineFlag flag) {
    channel.engineFlags |= flag;
    ++channel.inKernel;
    ++inKernel_;
  }
  void armPoll(Channel& channel, unsigned mask);
  void armReceive(Channel& channel);
  void cancel(Channel& channel, Tag tag);
  Record& record(Channel& channel);
  void giveRecord(Channel& channel);
  void finishDetach(Channel& channel);
  void finishClose(Channel& channel);

  void take(const io_uring_cqe& cqe);
  void polled(Channel& channel, const io_uring_cqe& cqe, bool more);
  void received(Channel& channel, const io_uring_cqe& cqe, bool more);
  void accepted(Channel& channel, const io_uring_cqe& cqe, bool more);
  void refuse(const Channel& listener, int fd, bool more);

  EngineContext context_;
  const EngineOptions options_;
  Readiness readiness_;
  Ring ring_;
  UringFiles files_;
  uint64_t inKernel_ = 0;
  bool tookBuffers_ = false;
  std::vector<Token> starved_;  // receives that ended for want of a buffer
  std::deque<Record> records_;
  std::vector<uint32_t> freeRecords_;
};

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
  if (listener.engineFlags & kAcceptArmed) return;
  io_uring_sqe* sqe = ring_.next(tagged(listener.token(), Tag::kAccept));
  io_uring_prep_multishot_accept(sqe, listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  submitted(listener, kAcceptArmed);
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
  if (channel.engineFlags & kReceiveArmed) cancel(channel, Tag::kReceive);
}

void Uring::cancel(Channel& channel, Tag tag) {
  if (channel.engineFlags & kCancelling) return;
  channel.engineFlags |= kCancelling;
  io_uring_sqe* sqe = ring_.next(static_cast<uint64_t>(Tag::kIgnore) << 56);
  io_uring_prep_cancel64(sqe, tagged(channel.token(), tag), 0);
}

void Uring::send(Channel& channel) {
  // A file is at the front: the loop sends it, and only wants to know when there is room.
  if (context_.queues.frontIsFile(channel.sends)) {
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
  if (channel.engineFlags & kReceiveArmed) cancel(channel, Tag::kReceive);
  if (channel.engineFlags & kPollArmed) cancel(channel, Tag::kPoll);
  if (channel.inKernel == 0) finishDetach(channel);
}

// The last completion of what was armed has been taken, so no byte can come by the old route.
void Uring::finishDetach(Channel& channel) {
  readiness_.forget(channel);
  channel.engineFlags &= ~(kDetaching | kCancelling);
  context_.ready.push(channel.token(), OpKind::kDetach, 0);
}

void Uring::close(Channel& channel) {
  channel.engineFlags &= ~(kWantReceive | kWantSend);
  if (channel.inKernel == 0) {
    finishClose(channel);
    return;
  }
  // The operations in the ring hold the socket open, so the FIN is sent now, not at the last
  // completion. A reset must not be preceded by a FIN.
  if (channel.type == ChannelType::kConnection && !(channel.flags & kResetOnClose)) {
    context_.sockets.shutdownBoth(channel.fd);
  }
  io_uring_sqe* sqe = ring_.next(static_cast<uint64_t>(Tag::kIgnore) << 56);
  io_uring_prep_cancel_fd(sqe, channel.fd, IORING_ASYNC_CANCEL_ALL);
}

void Uring::finishClose(Channel& channel) {
  RP_ASSERT(channel.inKernel == 0);
  if (channel.type != ChannelType::kWatch) context_.sockets.close(channel.fd);
  channel.fd = -1;
  channel.engineFlags = 0;
  context_.ready.push(channel.token(), OpKind::kClose, 0);
}

bool Uring::reap() {
  for (uint32_t round = 0; round < kReapRoundsMax; ++round) {
    ring_.drain([this] { return context_.ready.room() > 0 && !context_.buffers.turnIsFull(); },
                [this](const io_uring_cqe& cqe) { take(cqe); });
    if (context_.ready.room() == 0 || context_.buffers.turnIsFull() || !ring_.collect()) break;
  }
  const bool left = readiness_.service();
  return left || ring_.hasCompletions();
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
    case Tag::kAccept:
      accepted(*channel, cqe, more);
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
    armPoll(channel, channel.type == ChannelType::kWatch ? POLLIN : kReadInterest);
  }
  readiness_.mark(channel, ready);
}

void Uring::received(Channel& channel, const io_uring_cqe& cqe, bool more) {
  if (!more) channel.engineFlags &= ~(kReceiveArmed | kCancelling);
  if (cqe.res > 0) {
    const uint32_t index = cqe.flags >> IORING_CQE_BUFFER_SHIFT;
    ring_.bufferTaken(index);
    tookBuffers_ = true;
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
    starved_.push_back(channel.token());
    return;
  }
  channel.engineFlags &= ~kWantReceive;
  context_.ready.push(channel.token(), OpKind::kReceive, cqe.res);
}

// Closes what a listener that is over has accepted.
void Uring::refuse(const Channel& listener, int fd, bool more) {
  if (more || isNewConnection(context_.channels, context_.sockets, listener, fd)) {
    context_.sockets.close(fd);
  }
}

void Uring::accepted(Channel& channel, const io_uring_cqe& cqe, bool more) {
  if (!more) channel.engineFlags &= ~kAcceptArmed;
  if (channel.state == ChannelState::kClosing) {
    if (cqe.res >= 0) refuse(channel, cqe.res, more);
    return;
  }
  context_.ready.push(channel.token(), OpKind::kAccept, cqe.res, more);
}

void Uring::endTurn() {
  if (!tookBuffers_ && starved_.empty()) return;
  tookBuffers_ = false;
  const bool available = ring_.recycleBuffers();
  for (Token token : starved_) {
    Channel* channel = context_.channels.find(token);
    if (channel == nullptr || !(channel->engineFlags & kWantReceive)) continue;
    // With every buffer retained, readiness is the way out: it brings its own memory.
    if (!available) channel->route = channel->nextRoute = Route::kReadiness;
    if (!(channel->engineFlags & (kReceiveArmed | kPollArmed))) receive(*channel);
  }
  starved_.clear();
}

// Cancels everything and waits until the kernel has let go, so that no buffer of ours is written
// to after this returns.
bool Uring::stop() {
  if (!ring_.isOpen()) return true;
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(kStopWaitMs);
  const auto held = [this] { return inKernel_ + files_.inKernel(); };
  if (held() > 0) {
    io_uring_sqe* sqe = ring_.next(0);
    io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
  }
  while (held() > 0 && std::chrono::steady_clock::now() < deadline) {
    ring_.enter(10'000'000);
    ring_.drain([] { return true; },
                [this](const io_uring_cqe& cqe) {
                  if (tagOf(cqe.user_data) == Tag::kIgnore) return;
                  if (tagOf(cqe.user_data) == Tag::kFile) {
                    files_.drop(cqe);
                    return;
                  }
                  const bool more = (cqe.flags & IORING_CQE_F_MORE) != 0;
                  Channel* channel = context_.channels.find(tokenOf(cqe.user_data));
                  if (tagOf(cqe.user_data) == Tag::kAccept && cqe.res >= 0 && channel != nullptr) {
                    refuse(*channel, cqe.res, more);
                  }
                  if (more) return;
                  --inKernel_;
                  if (channel != nullptr && channel->inKernel > 0) --channel->inKernel;
                });
  }
  const bool released = held() == 0;
  if (released) ring_.close();
  return released;
}

}  // namespace

std::unique_ptr<Engine> makeUring(EngineContext context, const EngineOptions& options) {
  return std::make_unique<Uring>(context, options);
}

}  // namespace ringpoll

#endif  // __linux__
