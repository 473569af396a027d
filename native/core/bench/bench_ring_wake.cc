// Waking a thread that waits in its ring by a message from another ring.
#include <liburing.h>

#include <atomic>

#include "../engine/uring_compat.h"
#include "bench_cases.h"

namespace ringpoll::bench {

namespace {

constexpr unsigned kEntries = 64;
constexpr unsigned kSetups[] = {
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL,
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL,
};

// A ring belongs to the thread that waits in it, so each side opens its own.
bool openRing(io_uring* ring) {
  for (unsigned setup : kSetups) {
    if (io_uring_queue_init(kEntries, ring, setup) == 0) return true;
  }
  return false;
}

bool takeOne(io_uring* ring) {
  io_uring_cqe* cqe = nullptr;
  if (io_uring_wait_cqe(ring, &cqe) != 0) return false;
  const bool good = cqe->res >= 0;
  io_uring_cqe_seen(ring, cqe);
  return good;
}

// Sends a message to the other ring and, in the same call, waits for the answer. The sender's own
// completion is left out where the kernel can do so, and taken otherwise.
void sendMessage(io_uring* ring, int other) {
  io_uring_sqe* sqe = io_uring_get_sqe(ring);
  io_uring_prep_msg_ring(sqe, other, 0, 0, 0);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

struct Far {
  int near;  // descriptor of the ring to answer to
  uint32_t turns;
  std::atomic<int> fd{-1};      // of our own ring; -2: it could not be opened
  std::atomic<bool> over{false};  // the other side needs our ring no more
};

void answer(void* argument) {
  Far& far = *static_cast<Far*>(argument);
  io_uring ring;
  if (!openRing(&ring)) {
    far.fd = -2;
    return;
  }
  far.fd = ring.ring_fd;
  for (uint32_t i = 0; i < far.turns; ++i) {
    if (!takeOne(&ring)) break;
    sendMessage(&ring, far.near);
    io_uring_submit(&ring);
  }
  while (!far.over) {
  }
  io_uring_queue_exit(&ring);
}

}  // namespace

Sample messageRingWake(uint32_t operations, const Threads& threads) {
  io_uring ring;
  if (!openRing(&ring)) return refuse("io_uring is not available");
  io_uring_probe* probe = io_uring_get_probe_ring(&ring);
  const bool supported =
      probe != nullptr && io_uring_opcode_supported(probe, IORING_OP_MSG_RING) != 0;
  io_uring_free_probe(probe);
  Sample sample = refuse("this kernel has no MSG_RING");
  if (supported) {
    Far far{ring.ring_fd, operations / 2 + 1};
    void* thread = threads.start(answer, &far);
    if (thread == nullptr) {
      sample = refuse("no thread");
    } else {
      while (far.fd == -1) {
      }
      sample = refuse("the other thread has no ring");
      if (far.fd >= 0) {
        bool good = true;
        const Stopwatch watch;
        for (uint32_t i = 0; i < far.turns && good; ++i) {
          sendMessage(&ring, far.fd);
          io_uring_submit(&ring);
          good = takeOne(&ring);
        }
        const double perWake = watch.elapsedNs() / (2.0 * far.turns);
        sample = good ? Sample{perWake * operations, 0, ""} : refuse("a message was lost");
      }
      far.over = true;
      threads.join(thread);
    }
  }
  io_uring_queue_exit(&ring);
  return sample;
}

}  // namespace ringpoll::bench
