// One io_uring instance: set-up with fallbacks, submission, waiting, the provided-buffer ring.
// Knows nothing of channels.
#pragma once

#include <liburing.h>

#include <string>
#include <vector>

#include "core/base/metrics.h"
#include "core/memory/arena.h"

namespace ringpoll {

class Ring {
 public:
  Ring(Arena& arena, Metrics& metrics) : arena_(arena), metrics_(metrics) {}
  ~Ring() { close(); }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // Empty, or why the kernel refused.
  std::string open(uint32_t completionEntries);
  void close();
  bool isOpen() const { return open_; }
  // The kernel's own answer to the probe.
  bool supports(int opcode) const {
    return opcode >= 0 && static_cast<size_t>(opcode) < supported_.size() && supported_[opcode];
  }

  // Never null: submits what is queued when the queue is full.
  io_uring_sqe* next(uint64_t userData);
  // Submits, and waits for a completion: 0 polls, -1 waits without limit.
  void enter(int64_t timeoutNs);
  // Runs completion work that the kernel has deferred or could not post; false: there was none.
  bool collect();

  // Takes completions while hasRoom() says so. Each is given back to the kernel before take(cqe)
  // runs, so that submitting from there cannot find the completion queue full.
  template <typename HasRoom, typename Take>
  void drain(HasRoom&& hasRoom, Take&& take) {
    // Not more than are there now: taking one may submit operations that complete at once, and what
    // has been taken should be worked on before they are.
    unsigned left = io_uring_cq_ready(&ring_);
    if (left > 0) metrics_.ringCompleted = left;
    for (; left > 0 && hasRoom(); --left) {
      const io_uring_cqe cqe = ring_.cq.cqes[*ring_.cq.khead & ring_.cq.ring_mask];
      io_uring_cq_advance(&ring_, 1);
      take(cqe);
    }
  }
  // Submits what is queued, and waits for nothing.
  void submitNow();
  // Completions that the queue has room for.
  uint32_t completionRoom() const {
    const uint32_t ready = io_uring_cq_ready(&ring_);
    const uint32_t entries = *ring_.cq.kring_entries;
    return entries > ready ? entries - ready : 0;
  }
  bool hasCompletions() const { return io_uring_cq_ready(&ring_) > 0; }

  // Provided buffers, registered at first use. False: the kernel or the arena refused.
  bool provideBuffers();
  BlockId bufferBlock(uint32_t index) const { return buffers_[index]; }
  // The buffer was handed out; it comes back at the end of the turn, or another in its place.
  void bufferTaken(uint32_t index) {
    taken_.push_back(static_cast<uint16_t>(index));
    --available_;
  }
  // True when buffers that were taken are in the kernel's ring again.
  bool recycleBuffers();

  static constexpr uint16_t kBufferGroup = 1;

 private:
  void addBuffer(uint16_t index, int position);
  void noteOverflow();

  Arena& arena_;
  Metrics& metrics_;
  io_uring ring_{};
  bool open_ = false;
  bool taskrunFlag_ = false;
  std::vector<bool> supported_;
  uint32_t lastOverflow_ = 0;
  io_uring_buf_ring* bufferRing_ = nullptr;
  std::vector<BlockId> buffers_;
  std::vector<uint16_t> taken_;
  uint32_t available_ = 0;
};

}  // namespace ringpoll
