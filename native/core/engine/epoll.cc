// The epoll engine: one ADD per descriptor, and a MOD where it wants to be told in another way: of
// room at the first backpressure, or of bytes by levels in the place of edges.
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/assert.h"
#include "engine.h"
#include "readiness.h"

namespace ringpoll {

namespace {

constexpr uint32_t kReadInterest = EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET;
// Behind these a short read has not emptied the socket. Urgent data is one: a read stops before it.
constexpr uint32_t kReadOn = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;
constexpr uint32_t kWriteInterest = kReadInterest | EPOLLOUT;

class Epoll final : public Engine, private WakeUps {
 public:
  explicit Epoll(EngineContext context) : context_(context), readiness_(context, this) {}
  ~Epoll() override { stop(); }

  const char* name() const override { return "poll"; }

  std::string start() override {
    fd_ = ::epoll_create1(EPOLL_CLOEXEC);
    return fd_ >= 0 ? "" : std::string("epoll_create1: ") + std::strerror(errno);
  }

  bool stop() override {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    return true;
  }

  int attach(Channel& channel) override {
    RP_ASSERT(channel.inKernel == 0);  // the ring has let go of it
    channel.emptyWakes = 0;
    // An unconnected socket reports a hang-up, so connect() registers it when it is under way.
    return channel.state == ChannelState::kConnecting ? 0 : control(EPOLL_CTL_ADD, channel, false);
  }

  void accept(Channel& listener) override { readiness_.accept(listener); }

  void receive(Channel& channel) override {
    channel.engineFlags |= kWantReceive;
    if (policy_.trigger() == Trigger::kLevel) toLevel(channel);
    readiness_.resume(channel);
  }

  void pauseReceive(Channel& channel) override {
    channel.engineFlags &= ~kWantReceive;
    toEdge(channel);
  }

  void send(Channel& channel) override {
    channel.engineFlags |= kWantSend;
    channel.engineFlags &= ~kWritable;
    if (channel.engineFlags & kWatchesWrite) return;
    // MOD reports the present state once more, so room that appeared in between is not missed.
    if (control(EPOLL_CTL_MOD, channel, true) != 0) {
      channel.engineFlags &= ~kWantSend;
      context_.ready.push(channel.token(), OpKind::kSend, -errno);
    }
  }

  void connect(Channel& channel, const SocketAddress& address) override {
    int result = context_.sockets.connect(channel.fd, address.get(), address.length);
    if (result == 0 || result == -EINPROGRESS) {
      const int registered = control(EPOLL_CTL_ADD, channel, true);
      if (registered != 0) result = registered;
    }
    if (result != -EINPROGRESS) context_.ready.push(channel.token(), OpKind::kConnect, result);
  }

  void watch(Channel& channel) override { readiness_.resume(channel); }

  void detach(Channel& channel) override {
    ++context_.metrics.epollControls;
    ::epoll_ctl(fd_, EPOLL_CTL_DEL, channel.fd, nullptr);
    readiness_.forget(channel);
    channel.engineFlags &= ~(kWantReceive | kWatchesWrite | kLevel);
    context_.ready.push(channel.token(), OpKind::kDetach, 0);
  }

  void close(Channel& channel) override {
    RP_ASSERT(channel.inKernel == 0);
    // close() ends the registration of a descriptor that is ours alone. A listener may have been
    // inherited and live on in another process, and a watched one is not ours to close.
    if (channel.type != ChannelType::kConnection) {
      ++context_.metrics.epollControls;
      ::epoll_ctl(fd_, EPOLL_CTL_DEL, channel.fd, nullptr);
    }
    if (channel.type != ChannelType::kWatch) context_.sockets.close(channel.fd);
    channel.fd = -1;
    channel.engineFlags = 0;
    context_.ready.push(channel.token(), OpKind::kClose, 0);
  }

  void wait(int64_t timeoutNs) override {
    const int timeoutMs = timeoutNs < 0 ? -1 : static_cast<int>((timeoutNs + 999'999) / 1'000'000);
    ++context_.metrics.pollWaits;
    const int count = ::epoll_wait(fd_, events_, kKernelEventsMax, timeoutMs);
    for (int i = 0; i < count; ++i) {
      Channel* channel = context_.channels.find(events_[i].data.u64);
      if (channel == nullptr) {
        ++context_.metrics.staleEvents;
        continue;
      }
      const uint32_t mask = events_[i].events;
      uint8_t ready = 0;
      if (mask & EPOLLIN) ready |= Readiness::kIn;
      if (mask & EPOLLOUT) ready |= Readiness::kOut;
      if (mask & kReadOn) ready |= Readiness::kIn | Readiness::kHup;
      if (mask & (EPOLLHUP | EPOLLERR)) ready |= Readiness::kGone;
      if (channel->engineFlags & kLevel) review(*channel, ready);
      readiness_.mark(*channel, ready);
    }
    if (count > 0) policy_.woke(static_cast<uint32_t>(count));
    hasEvents_ = count > 0;
    moreInKernel_ = count == static_cast<int>(kKernelEventsMax);
  }

  bool hasEvents() const override { return hasEvents_; }

  bool reap() override { return readiness_.service() || moreInKernel_; }

  int pollableFd() const override { return fd_; }

  void setTrigger(Trigger trigger) override { policy_.set(trigger); }

 private:
  void found(Channel& channel, Found what) override {
    if (channel.engineFlags & kLevel) {
      if (what == Found::kMore && policy_.adapts()) toEdge(channel);
      return;
    }
    if (policy_.goesDown(what, &channel.emptyWakes)) toLevel(channel);
  }

  // It was told by a level. What is not read, or never will be, would be told for ever.
  void review(Channel& channel, uint8_t ready) {
    constexpr uint16_t waits = kInReadyQueue | kTellsReadable;
    if ((channel.engineFlags & waits) || ready != Readiness::kIn || policy_.busy()) toEdge(channel);
  }

  void toLevel(Channel& channel) {
    constexpr uint16_t otherwise = kLevel | kWatchesWrite | kHangup | kTellsReadable;
    if (channel.type != ChannelType::kConnection || channel.state != ChannelState::kOpen) return;
    if ((channel.engineFlags & otherwise) || !(channel.engineFlags & kWantReceive)) return;
    channel.emptyWakes = 0;
    channel.engineFlags |= kLevel;
    ++context_.metrics.triggersToLevel;
    control(EPOLL_CTL_MOD, channel, false);
  }

  // MOD reports the present state once more, so nothing is missed.
  void toEdge(Channel& channel) {
    if (!(channel.engineFlags & kLevel)) return;
    channel.engineFlags &= ~kLevel;
    ++context_.metrics.triggersToEdge;
    control(EPOLL_CTL_MOD, channel, false);
  }

  int control(int operation, Channel& channel, bool write) {
    epoll_event event{};
    if (write && (channel.engineFlags & kLevel)) {
      channel.engineFlags &= ~kLevel;
      ++context_.metrics.triggersToEdge;
    }
    event.events = write ? kWriteInterest : kReadInterest;
    if (channel.engineFlags & kLevel) event.events &= ~static_cast<uint32_t>(EPOLLET);
    event.data.u64 = channel.token();
    if (write) channel.engineFlags |= kWatchesWrite;
    ++context_.metrics.epollControls;
    return ::epoll_ctl(fd_, operation, channel.fd, &event) == 0 ? 0 : -errno;
  }

  EngineContext context_;
  Readiness readiness_;
  TriggerPolicy policy_;
  int fd_ = -1;
  bool hasEvents_ = false;
  bool moreInKernel_ = false;
  epoll_event events_[kKernelEventsMax];
};

}  // namespace

std::unique_ptr<Engine> makeEpoll(EngineContext context) {
  return std::make_unique<Epoll>(context);
}

}  // namespace ringpoll
