// What waiting by epoll costs, and waking a thread that waits so.
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>

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
  // False: nothing came in time. A signal does not end the wait: a process that was stopped and
  // goes on has one, too.
  bool wait() {
    epoll_event event;
    int ready = ::epoll_wait(fd_, &event, 1, standstillMs);
    if (ready >= 0 || errno != EINTR) return ready == 1;
    const Deadline deadline;
    do {
      ready = ::epoll_wait(fd_, &event, 1, deadline.leftMs());
    } while (ready < 0 && errno == EINTR && !deadline.over());
    return ready == 1;
  }

 private:
  int fd_;
  bool open_ = false;
};

// One of two threads that wake each other in turns.
class Side {
 public:
  Side(int own, int other) : own_(own), other_(other), epoll_(own, EPOLLIN | EPOLLET) {}

  bool open() const { return epoll_.open(); }
  // An edge whose count an earlier read has taken is nobody's turn.
  bool waitForTurn() {
    uint64_t count;
    do {
      if (!epoll_.wait()) return false;
    } while (::read(own_, &count, sizeof count) != sizeof count);
    return true;
  }
  bool wakeOther() {
    const uint64_t count = 1;
    return ::write(other_, &count, sizeof count) == sizeof count;
  }

 private:
  int own_;
  int other_;
  Epoll epoll_;
};

struct Far {
  int own;
  int other;
  std::atomic<bool> over{false};
};

void answer(void* argument) {
  Far& far = *static_cast<Far*>(argument);
  Side side(far.own, far.other);
  while (side.waitForTurn() && !far.over && side.wakeOther()) {
  }
}

// Wakes the other thread and is woken by it, `turns` times or as often as goes in the time.
Sample takeTurns(Side& side, uint32_t turns) {
  if (!side.open()) return refuse("no epoll instance");
  const Stopwatch watch;
  for (uint32_t done = 1;; ++done) {
    if (!side.wakeOther()) return fail("the eventfd takes no more");
    if (!side.waitForTurn()) return standstill("the other thread's answer");
    const bool late = done % kTurnsPerLook == 0 && watch.elapsedNs() > kSampleNsMax;
    if (done == turns || late) return {watch.elapsedNs() / (2.0 * done), 0, ""};
  }
}

}  // namespace

Sample epollWait(uint32_t operations, const Threads&) {
  SocketPair pair;
  Epoll epoll(pair.far(), EPOLLIN);
  if (!epoll.open() || ::send(pair.near(), "x", 1, 0) != 1) return refuse("no epoll instance");
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) {
    if (!epoll.wait()) return standstill("readiness");
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
    if (::send(pair.near(), bytes, sizeof bytes, 0) < 0) return fail("send failed");
    if (!epoll.wait()) return standstill("readiness");
    if (::recv(pair.far(), bytes, sizeof bytes, 0) < 0) return fail("receive failed");
  }
  return {watch.elapsedNs(), uint64_t{operations} * kMessageBytes, ""};
}

// Two threads wake each other in turns; an operation is one wake-up.
Sample eventfdWake(uint32_t operations, const Threads& threads) {
  Far far{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  Sample sample = refuse("no thread or no eventfd");
  void* thread = far.own >= 0 && far.other >= 0 ? threads.start(answer, &far) : nullptr;
  if (thread != nullptr) {
    Side near(far.other, far.own);
    sample = takeTurns(near, operations / 2 + 1);
    sample.elapsedNs *= operations;
    far.over = true;
    near.wakeOther();
    threads.join(thread);
  }
  ::close(far.own);
  ::close(far.other);
  return sample;
}

}  // namespace ringpoll::bench
