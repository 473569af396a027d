// Connections that another thread has accepted, for a loop to take: the seam between the loop and
// the acceptor of a group of threads. And what a loop tells the other threads of itself.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/system/sockets.h"

namespace ringpoll {

// Written by loops, read by any thread; no lock. Two loops share one while a thread is replaced, so
// what counts is changed by differences.
struct alignas(64) LoopCounters {
  std::atomic<uint32_t> connections{0};  // open, of all listeners and connect calls
  std::atomic<uint32_t> waiting{0};      // loops that are about to wait, or wait: signal() them
  std::atomic<uint64_t> accepted{0};
  std::atomic<uint64_t> turns{0};
  std::atomic<uint64_t> turnSinceMs{0};  // when the turn that goes on began; 0: none does
};

class AcceptSource {
 public:
  virtual ~AcceptSource() = default;
  // A connected socket, the taker's from now on; -1: none waits.
  virtual int take() = 0;
  // Called by a loop behind its note that it is about to wait: then whoever brings a socket sees
  // that note, or this sees the socket.
  virtual bool empty() const = 0;
  // How many one turn may take.
  virtual uint32_t turnMax() const = 0;
  // Becomes readable when a loop that waits should look.
  virtual int wakeFd() const = 0;
  // Where the connections were accepted.
  virtual AddressText address() const = 0;
  // A loop takes from here until it leaves.
  virtual void joined() = 0;
  virtual void left() = 0;
};

}  // namespace ringpoll
