// The listening sockets of a group of threads, and how their connections come to a thread. The
// sockets belong to the group, so that none is lost with its thread.
//
//   kReusePort            a socket for each thread; the kernel spreads; each thread accepts itself
//   the other strategies  one socket; an acceptor, on a thread of its own, puts each connection
//   into
//                         the mailbox of a thread, or (kQueue) into the one queue of all
//
// Threads share a group without locks: listeners are only added, mailboxes are lock-free queues,
// and loops count in LoopCounters.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/limits.h"
#include "core/loop/accept_source.h"
#include "core/system/sockets.h"
#include "core/system/wake.h"
#include "mpmc_ring.h"
#include "transfer_box.h"

namespace ringpoll {

enum class Balance : uint8_t { kReusePort, kRoundRobin, kLeastConnections, kQueue };

class Group;

using SocketRing = MpmcRing<int, kMailboxSockets>;

// What one thread takes of one listener.
class Mailbox final : public AcceptSource {
 public:
  Mailbox(SocketRing& ring, bool shared, const AddressText& address, const Wake& acceptor)
      : ring_(ring), shared_(shared), address_(address), acceptor_(acceptor) {}

  int take() override;
  bool empty() const override { return ring_.empty(); }
  // Of the queue of all a loop takes little, so that those with less to do take more.
  uint32_t turnMax() const override { return shared_ ? kQueueTakesMax : kAcceptsPerTurnMax; }
  int wakeFd() const override { return wake_.fd(); }
  AddressText address() const override { return address_; }
  void joined() override;
  void left() override;

  bool isOpen() const { return wake_.isOpen(); }
  bool hasTaker() const { return takers_.load(std::memory_order_acquire) > 0; }
  SocketRing& ring() { return ring_; }
  const Wake& wake() const { return wake_; }

 private:
  SocketRing& ring_;
  const bool shared_;
  const AddressText address_;
  const Wake& acceptor_;
  Wake wake_;
  std::atomic<uint32_t> takers_{0};
};

class Group {
 public:
  Group(uint32_t threads, Balance balance);
  // No thread takes from it any more. Sockets that nobody took are closed.
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  // By the one thread that made the group.
  SocketResult listen(const SocketAddress& address, ListenOptions options, uint32_t* listener);
  // A listening socket of `thread`, for the caller to close; or -errno.
  int share(uint32_t listener, uint32_t thread) const;
  AddressText address(uint32_t listener) const { return listeners_[listener]->address; }
  Balance balance() const { return balance_; }
  uint32_t threads() const { return static_cast<uint32_t>(counters_.size()); }
  LoopCounters& counters(uint32_t thread) { return *counters_[thread]; }
  // Of a strategy that has mailboxes.
  AcceptSource& mailbox(uint32_t listener, uint32_t thread) {
    return *listeners_[listener]->mailboxes[thread];
  }
  // Connections that other threads have handed to `thread`.
  TransferBox& box(uint32_t thread) { return *boxes_[thread]; }
  // Sockets that wait in the mailboxes of `thread`.
  uint32_t held(uint32_t thread) const;

  // The acceptor: what its thread runs. Returns after stopAccepting(), when those that waited in
  // the kernel's queues are handed over.
  void accept(SocketCalls& sockets);
  void stopAccepting();
  uint64_t accepted() const { return accepted_.load(std::memory_order_relaxed); }
  uint64_t acceptErrors() const { return acceptErrors_.load(std::memory_order_relaxed); }

 private:
  struct Listener {
    std::vector<int> sockets;  // one, or one for each thread
    AddressText address;
    std::vector<std::unique_ptr<SocketRing>> rings;
    std::vector<std::unique_ptr<Mailbox>> mailboxes;
    uint32_t next = 0;  // acceptor's own: whose turn it is
  };
  enum class Round : uint8_t { kEmpty, kMore, kFull, kFailed };

  SocketResult openSockets(const SocketAddress& address, ListenOptions options, Listener* into);
  bool makeMailboxes(Listener* into);
  Round acceptSome(Listener& listener, SocketCalls& sockets);
  // -1: no thread takes, or none has room.
  int32_t choose(const Listener& listener) const;
  void handOver(Listener& listener, uint32_t thread, int fd);
  void rescue(Listener& listener);
  uint32_t loadOf(const Listener& listener, uint32_t thread) const;

  const Balance balance_;
  std::vector<std::unique_ptr<LoopCounters>> counters_;
  std::vector<std::unique_ptr<TransferBox>> boxes_;
  std::array<std::unique_ptr<Listener>, kGroupListenersMax> listeners_;
  std::atomic<uint32_t> listenerCount_{0};
  Wake wake_;  // of the acceptor
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> accepted_{0};
  std::atomic<uint64_t> acceptErrors_{0};
};

}  // namespace ringpoll
