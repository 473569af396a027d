// What waiting by epoll costs, and waking a thread that waits so.
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "bench_cases.h"
#include "socket_pair.h"

namespace ringpoll::bench {

namespace {

class Epoll {
 public:
  explicit Epoll(int fd, uint32_t events) : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event event{};
    event.events = events;
    open_ = fd_ >= 0 && ::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) == 0;
  }
  ~Epoll() {
    if (fd_ >= 0) ::close(fd_);
  }
  Epoll(const Epoll&) = delete;
  Epoll& operator=(const Epoll&) = delete;

  bool open() const { return open_; }
  bool wait() {
    epoll_event event;
    return ::epoll_wait(fd_, &event, 1, -1) == 1;
  }

 private:
  int fd_;
  bool open_ = false;
};

// Waits for its turn and gives it to the other side, `turns` times.
struct Side {
  int own;
  int other;
  uint32_t turns;
};

void waitAndWake(void* argument) {
  const Side& side = *static_cast<Side*>(argument);
  Epoll epoll(side.own, EPOLLIN | EPOLLET);
  uint64_t count = 1;
  for (uint32_t i = 0; i < side.turns; ++i) {
    epoll.wait();
    keep(::read(side.own, &count, sizeof count));
    count = 1;
    keep(::write(side.other, &count, sizeof count));
  }
}

}  // namespace

Sample epollWait(uint32_t operations, const Threads&) {
  SocketPair pair;
  Epoll epoll(pair.far(), EPOLLIN);
  if (!epoll.open() || ::send(pair.near(), "x", 1, 0) != 1) return refuse("no epoll instance");
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) {
    if (!epoll.wait()) return refuse("epoll_wait failed");
  }
  return {watch.elapsedNs(), 0, ""};
}

Sample epollMessage(uint32_t operations, const Threads&) {
  SocketPair pair;
  Epoll epoll(pair.far(), EPOLLIN | EPOLLET);
  if (!epoll.open()) return refuse("no epoll instance");
  char bytes[kMessageBytes] = {};
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) {
    if (::send(pair.near(), bytes, sizeof bytes, 0) < 0) return refuse("send failed");
    if (!epoll.wait()) return refuse("epoll_wait failed");
    if (::recv(pair.far(), bytes, sizeof bytes, 0) < 0) return refuse("receive failed");
  }
  return {watch.elapsedNs(), uint64_t{operations} * kMessageBytes, ""};
}

// Two threads wake each other in turns; an operation is one wake-up.
Sample eventfdWake(uint32_t operations, const Threads& threads) {
  const int here = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  const int there = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  const uint32_t turns = operations / 2 + 1;
  Side far{there, here, turns};
  Side near{here, there, turns};
  void* thread = here >= 0 && there >= 0 ? threads.start(waitAndWake, &far) : nullptr;
  Sample sample = refuse("no thread or no eventfd");
  if (thread != nullptr) {
    const uint64_t first = 1;
    const Stopwatch watch;
    keep(::write(there, &first, sizeof first));
    waitAndWake(&near);
    const double perWake = watch.elapsedNs() / (2.0 * turns);
    sample = {perWake * operations, 0, ""};
    threads.join(thread);
  }
  ::close(here);
  ::close(there);
  return sample;
}

}  // namespace ringpoll::bench
