// The kqueue engine: edges (EV_CLEAR), one EVFILT_READ per descriptor, and EVFILT_WRITE only from
// the first backpressure on.
#include <sys/event.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine.h"
#include "readiness.h"

namespace ringpoll {

namespace {

static_assert(sizeof(void*) >= sizeof(Token), "udata holds the channel's token");

// close() ends a descriptor's registrations in a kernel. libkqueue, which imitates kqueue on other
// systems, hears nothing of it and would keep them for the number's next user.
#ifdef RINGPOLL_LIBKQUEUE
constexpr bool kCloseForgets = false;
#else
constexpr bool kCloseForgets = true;
#endif

// Behind these a short read has not emptied the socket. Urgent data is one, where the system tells.
#ifdef EV_OOBAND
constexpr unsigned kReadOn = EV_EOF | EV_ERROR | EV_OOBAND;
#else
constexpr unsigned kReadOn = EV_EOF | EV_ERROR;
#endif

// A read stops before urgent data, but the filter counts what is behind it too.
uint32_t bytesBehind(const struct kevent& event, const Channel& channel) {
  if (event.filter != EVFILT_READ || channel.type != ChannelType::kConnection) return 0;
  return event.data > 0 && event.data <= UINT32_MAX ? static_cast<uint32_t>(event.data) : 0;
}

// EV_EOF tells of the peer's FIN, and with an error of a reset. Behind our own FIN it is the end.
bool isOver(const struct kevent& event, const Channel& channel) {
  if (event.filter != EVFILT_READ || !(event.flags & EV_EOF)) return false;
  return event.fflags != 0 || (channel.flags & kWriteEnded);
}

class Kqueue final : public Engine {
 public:
  explicit Kqueue(EngineContext context) : context_(context), readiness_(context) {}
  ~Kqueue() override { stop(); }

  const char* name() const override { return "poll"; }

  std::string start() override {
    fd_ = ::kqueue();
    return fd_ >= 0 ? "" : std::string("kqueue: ") + std::strerror(errno);
  }

  bool stop() override {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    return true;
  }

  int attach(Channel& channel) override {
    // Before its connect a socket has nothing to tell, so connect() registers it.
    return channel.state == ChannelState::kConnecting ? 0 : add(channel, EVFILT_READ);
  }

  void accept(Channel& listener) override { readiness_.accept(listener); }

  void receive(Channel& channel) override {
    channel.engineFlags |= kWantReceive;
    readiness_.resume(channel);
  }

  void pauseReceive(Channel& channel) override { channel.engineFlags &= ~kWantReceive; }

  void send(Channel& channel) override {
    channel.engineFlags |= kWantSend;
    channel.engineFlags &= ~kWritable;
    if (channel.engineFlags & kWatchesWrite) return;
    // EV_ADD reports the present state, so room that appeared in between is not missed.
    const int added = add(channel, EVFILT_WRITE);
    if (added == 0) return;
    channel.engineFlags &= ~kWantSend;
    context_.ready.push(channel.token(), OpKind::kSend, added);
  }

  void connect(Channel& channel, const SocketAddress& address) override {
    int result = context_.sockets.connect(channel.fd, address.get(), address.length);
    if (result == 0 || result == -EINPROGRESS) {
      int added = add(channel, EVFILT_READ);
      if (added == 0) added = add(channel, EVFILT_WRITE);
      if (added != 0) result = added;
    }
    if (result != -EINPROGRESS) context_.ready.push(channel.token(), OpKind::kConnect, result);
  }

  void watch(Channel& channel) override { readiness_.resume(channel); }

  void detach(Channel& channel) override {
    remove(channel);
    readiness_.forget(channel);
    channel.engineFlags &= ~(kWantReceive | kWatchesWrite);
    context_.ready.push(channel.token(), OpKind::kDetach, 0);
  }

  void close(Channel& channel) override {
    // A listener may have been inherited and live on in another process, and a watched descriptor
    // is not ours to close.
    if (!kCloseForgets || channel.type != ChannelType::kConnection) remove(channel);
    if (channel.type != ChannelType::kWatch) context_.sockets.close(channel.fd);
    channel.fd = -1;
    channel.engineFlags = 0;
    context_.ready.push(channel.token(), OpKind::kClose, 0);
  }

  void wait(int64_t timeoutNs) override {
    const timespec timeout{static_cast<time_t>(timeoutNs / 1'000'000'000),
                           static_cast<long>(timeoutNs % 1'000'000'000)};
    ++context_.metrics.pollWaits;
    const int count =
        ::kevent(fd_, nullptr, 0, events_, kKernelEventsMax, timeoutNs < 0 ? nullptr : &timeout);
    for (int i = 0; i < count; ++i) {
      const struct kevent& event = events_[i];
      Channel* channel = context_.channels.find(reinterpret_cast<Token>(event.udata));
      if (channel == nullptr) {
        ++context_.metrics.staleEvents;
        continue;
      }
      if (channel->state == ChannelState::kConnecting && (event.flags & EV_EOF) &&
          event.fflags != 0) {
        context_.ready.push(channel->token(), OpKind::kConnect, -static_cast<int>(event.fflags));
        continue;
      }
      uint8_t ready = event.filter == EVFILT_WRITE ? Readiness::kOut : Readiness::kIn;
      if (event.flags & kReadOn) ready |= Readiness::kIn | Readiness::kHup;
      if (isOver(event, *channel)) ready |= Readiness::kGone;
      readiness_.mark(*channel, ready, bytesBehind(event, *channel));
    }
    hasEvents_ = count > 0;
    moreInKernel_ = count == static_cast<int>(kKernelEventsMax);
  }

  bool hasEvents() const override { return hasEvents_; }

  bool reap() override { return readiness_.service() || moreInKernel_; }

  int pollableFd() const override { return fd_; }

 private:
  int change(Channel& channel, int filter, int action) {
    struct kevent event;
    EV_SET(&event, static_cast<uintptr_t>(channel.fd), filter, action, 0, 0,
           reinterpret_cast<void*>(channel.token()));
    ++context_.metrics.epollControls;
    return ::kevent(fd_, &event, 1, nullptr, 0, nullptr) == 0 ? 0 : -errno;
  }
  int add(Channel& channel, int filter) {
    if (filter == EVFILT_WRITE) channel.engineFlags |= kWatchesWrite;
    return change(channel, filter, EV_ADD | EV_CLEAR);
  }
  void remove(Channel& channel) {
    change(channel, EVFILT_READ, EV_DELETE);
    if (channel.engineFlags & kWatchesWrite) change(channel, EVFILT_WRITE, EV_DELETE);
  }

  EngineContext context_;
  Readiness readiness_;
  int fd_ = -1;
  bool hasEvents_ = false;
  bool moreInKernel_ = false;
  struct kevent events_[kKernelEventsMax];
};

}  // namespace

std::unique_ptr<Engine> makeKqueue(EngineContext context) {
  return std::make_unique<Kqueue>(context);
}

}  // namespace ringpoll
