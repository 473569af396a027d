#include "group.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace ringpoll {

int Mailbox::take() {
  int fd = -1;
  return ring_.pop(&fd) ? fd : -1;
}

void Mailbox::joined() {
  takers_.fetch_add(1, std::memory_order_acq_rel);
  acceptor_.signal();  // what found no room may find it here
}

void Mailbox::left() {
  takers_.fetch_sub(1, std::memory_order_acq_rel);
  acceptor_.signal();  // what is left here goes to others
}

Group::Group(uint32_t threads, Balance balance) : balance_(balance) {
  for (uint32_t i = 0; i < threads; ++i) {
    counters_.push_back(std::make_unique<LoopCounters>());
    boxes_.push_back(std::make_unique<TransferBox>());
  }
}

Group::~Group() {
  for (const auto& listener : listeners_) {
    if (listener == nullptr) continue;
    for (const int fd : listener->sockets) ::close(fd);
    for (const auto& ring : listener->rings) {
      for (int fd = -1; ring->pop(&fd);) ::close(fd);
    }
  }
}

SocketResult Group::openSockets(const SocketAddress& address, ListenOptions options,
                                Listener* into) {
  const bool each = balance_ == Balance::kReusePort;
  if (each) options.reusePort = true;
  SocketAddress place = address;
  for (uint32_t i = 0; i < (each ? threads() : 1); ++i) {
    const SocketResult opened = openListener(place, options);
    if (opened.fd < 0) return opened;
    into->sockets.push_back(opened.fd);
    if (i > 0) continue;
    // A port that the system chose is that of all.
    into->address = localAddress(opened.fd);
    if (into->address.family != AF_UNIX) {
      place.length = sizeof place.storage;
      ::getsockname(opened.fd, reinterpret_cast<sockaddr*>(&place.storage), &place.length);
    }
  }
  return {into->sockets[0], 0, Syscall::kNone};
}

bool Group::makeMailboxes(Listener* into) {
  const bool shared = balance_ == Balance::kQueue;
  for (uint32_t i = 0; i < threads(); ++i) {
    if (i == 0 || !shared) into->rings.push_back(std::make_unique<SocketRing>());
    into->mailboxes.push_back(
        std::make_unique<Mailbox>(*into->rings.back(), shared, into->address, wake_));
    if (!into->mailboxes.back()->isOpen()) return false;
  }
  return true;
}

SocketResult Group::listen(const SocketAddress& address, ListenOptions options,
                           uint32_t* listener) {
  const uint32_t index = listenerCount_.load(std::memory_order_relaxed);
  if (index == kGroupListenersMax) return {-1, ENOBUFS, Syscall::kListen};
  auto made = std::make_unique<Listener>();
  SocketResult opened = openSockets(address, options, made.get());
  if (opened.fd >= 0 && balance_ != Balance::kReusePort &&
      (!wake_.isOpen() || !makeMailboxes(made.get()))) {
    opened = {-1, EMFILE, Syscall::kListen};
  }
  if (opened.fd < 0) {
    for (const int fd : made->sockets) ::close(fd);
    return opened;
  }
  listeners_[index] = std::move(made);
  *listener = index;
  listenerCount_.store(index + 1, std::memory_order_release);
  wake_.signal();
  return opened;
}

int Group::share(uint32_t listener, uint32_t thread) const {
  const auto& sockets = listeners_[listener]->sockets;
  return duplicate(sockets[sockets.size() == 1 ? 0 : thread]);
}

uint32_t Group::held(uint32_t thread) const {
  const uint32_t count = listenerCount_.load(std::memory_order_acquire);
  uint32_t sum = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const auto& rings = listeners_[i]->rings;
    if (!rings.empty()) sum += rings[rings.size() == 1 ? 0 : thread]->size();
  }
  return sum;
}

}  // namespace ringpoll
