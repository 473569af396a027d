// The acceptor of a group: waits for connections, accepts them, and hands each to a thread. It is
// the only producer of all mailboxes, so that one that has room keeps it until it is used.
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "group.h"

namespace ringpoll {

void Group::stopAccepting() {
  stopping_.store(true, std::memory_order_release);
  wake_.signal();
}

uint32_t Group::loadOf(const Listener& listener, uint32_t thread) const {
  return counters_[thread]->connections.load(std::memory_order_relaxed) +
         listener.rings[thread]->size();
}

int32_t Group::choose(const Listener& listener) const {
  int32_t best = -1;
  uint32_t bestLoad = 0;
  for (uint32_t i = 0; i < threads(); ++i) {
    const uint32_t at = (listener.next + i) % threads();
    Mailbox& mailbox = *listener.mailboxes[at];
    if (!mailbox.hasTaker() || mailbox.ring().full()) continue;
    const uint32_t load = balance_ == Balance::kLeastConnections ? loadOf(listener, at) : 0;
    if (best >= 0 && load >= bestLoad) continue;
    best = static_cast<int32_t>(at);
    bestLoad = load;
    if (balance_ != Balance::kLeastConnections) break;
  }
  return best;
}

void Group::handOver(Listener& listener, uint32_t thread, int fd) {
  listener.next = (thread + 1) % threads();
  if (!listener.mailboxes[thread]->ring().push(fd)) {
    ::close(fd);
    return;
  }
  // Both sides change `waiting`. Either this comes second, and sees that the loop is about to wait;
  // or the loop does, and then sees the socket.
  // Any of those that wait takes from the queue of all.
  const uint32_t takers = balance_ == Balance::kQueue ? threads() : 1;
  for (uint32_t i = 0; i < takers; ++i) {
    const uint32_t at = (thread + i) % threads();
    if (counters_[at]->waiting.fetch_add(0, std::memory_order_acq_rel) == 0) continue;
    listener.mailboxes[at]->wake().signal();
    return;
  }
}

// Sockets whose thread is gone go to others.
void Group::rescue(Listener& listener) {
  if (balance_ == Balance::kQueue) return;
  for (const auto& mailbox : listener.mailboxes) {
    if (mailbox->hasTaker()) continue;
    while (!mailbox->ring().empty()) {
      const int32_t to = choose(listener);
      if (to < 0) return;
      const int fd = mailbox->take();
      if (fd < 0) break;
      handOver(listener, static_cast<uint32_t>(to), fd);
    }
  }
}

Group::Round Group::acceptSome(Listener& listener, SocketCalls& sockets) {
  for (uint32_t i = 0; i < kAcceptsPerTurnMax; ++i) {
    const int32_t thread = choose(listener);
    if (thread < 0) return Round::kFull;
    const int fd = sockets.accept(listener.sockets[0]);
    if (fd == -EAGAIN || fd == -EWOULDBLOCK) return Round::kEmpty;
    // The peer went away before we came to it: not an error of the listener.
    if (fd == -ECONNABORTED || fd == -EPROTO || fd == -ENETDOWN || fd == -EHOSTUNREACH) continue;
    if (fd < 0) {
      acceptErrors_.fetch_add(1, std::memory_order_relaxed);
      return Round::kFailed;
    }
    accepted_.fetch_add(1, std::memory_order_relaxed);
    handOver(listener, static_cast<uint32_t>(thread), fd);
  }
  return Round::kMore;
}

void Group::accept(SocketCalls& sockets) {
  std::array<pollfd, kGroupListenersMax + 1> polled{};
  uint32_t delayMs = 0;
  while (!stopping_.load(std::memory_order_acquire)) {
    const uint32_t count = listenerCount_.load(std::memory_order_acquire);
    polled[0] = {wake_.fd(), POLLIN, 0};
    for (uint32_t i = 0; i < count; ++i) {
      polled[i + 1] = {listeners_[i]->sockets[0], POLLIN, 0};
    }
    // After a failure, or with all mailboxes full, a listener stays readable: wait for the time, or
    // for a thread that comes or goes.
    const nfds_t watched = delayMs == 0 ? count + 1 : 1;
    ::poll(polled.data(), watched, delayMs == 0 ? -1 : static_cast<int>(delayMs));
    if (polled[0].revents != 0) {
      Wake::clear(wake_.fd());
      for (uint32_t i = 0; i < count; ++i) rescue(*listeners_[i]);
    }
    delayMs = 0;
    for (uint32_t i = 0; i < count; ++i) {
      const Round round = acceptSome(*listeners_[i], sockets);
      if (round == Round::kFull) delayMs = kMailboxRetryMs;
      if (round == Round::kFailed) delayMs = kAcceptRetryMs;
    }
  }
  const uint32_t count = listenerCount_.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < count; ++i) {
    while (acceptSome(*listeners_[i], sockets) == Round::kMore) {
    }
  }
}

}  // namespace ringpoll
