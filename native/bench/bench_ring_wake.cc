// Waking a thread that waits in its ring by a message from another ring.
#include <liburing.h>
#include <sched.h>

#include <atomic>
#include <cerrno>

#include "bench_cases.h"
#include "core/engine/uring_compat.h"

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

// The next message to this ring, within a time. A signal ends the call, but not the wait.
bool takeOne(io_uring* ring) {
  __kernel_timespec limit{standstillMs / 1000, standstillMs % 1000 * 1'000'000};
  io_uring_cqe* cqe = nullptr;
  int error = io_uring_wait_cqe_timeout(ring, &cqe, &limit);
  if (error == -EINTR) {
    const Deadline deadline;
    do {
      error = io_uring_wait_cqe_timeout(ring, &cqe, &limit);
    } while (error == -EINTR && !deadline.over());
  }
  if (error != 0) return false;
  const bool good = cqe->res >= 0;
  io_uring_cqe_seen(ring, cqe);
  return good;
}

// The sender's own completion is left out: what comes is the answer, or that this failed.
bool sendMessage(io_uring* ring, int other) {
  io_uring_sqe* sqe = io_uring_get_sqe(ring);
  if (sqe == nullptr) return false;
  io_uring_prep_msg_ring(sqe, other, 0, 0, 0);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  return io_uring_submit(ring) == 1;
}

struct Far {
  int near;                       // descriptor of the ring to answer to
  std::atomic<int> fd{-1};        // of our own ring; -2: it could not be opened
  std::atomic<bool> over{false};  // the next message is the last and wants no answer
};

void answer(void* argument) {
  Far& far = *static_cast<Far*>(argument);
  io_uring ring;
  if (!openRing(&ring)) {
    far.fd = -2;
    return;
  }
  far.fd = ring.ring_fd;
  while (takeOne(&ring) && !far.over && sendMessage(&ring, far.near)) {
  }
  // A message to a ring that is gone would be an error, so it stays until it is not needed.
  for (const Deadline deadline; !far.over && !deadline.over();) ::sched_yield();
  io_uring_queue_exit(&ring);
}

// Wakes the other thread and is woken by it, `turns` times or as often as goes in the time.
Sample takeTurns(io_uring* ring, int other, uint32_t turns) {
  const Stopwatch watch;
  for (uint32_t done = 1;; ++done) {
    if (!sendMessage(ring, other)) return fail("the ring takes no message");
    if (!takeOne(ring)) return standstill("the other thread's message");
    const bool late = done % kTurnsPerLook == 0 && watch.elapsedNs() > kSampleNsMax;
    if (done == turns || late) return {watch.elapsedNs() / (2.0 * done), 0, ""};
  }
}

// With a thread that answers, from its start to its end.
Sample wakeEachOther(io_uring* ring, uint32_t turns, const Threads& threads) {
  Far far{ring->ring_fd};
  void* thread = threads.start(answer, &far);
  if (thread == nullptr) return refuse("no thread");
  for (const Deadline deadline; far.fd == -1 && !deadline.over();) ::sched_yield();
  Sample sample = refuse("the other thread has no ring");
  if (far.fd == -1) sample = standstill("the other thread's ring");
  if (far.fd >= 0) sample = takeTurns(ring, far.fd, turns);
  far.over = true;
  if (far.fd >= 0) sendMessage(ring, far.fd);
  threads.join(thread);
  return sample;
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
  if (supported) sample = wakeEachOther(&ring, operations / 2 + 1, threads);
  sample.elapsedNs *= operations;
  io_uring_queue_exit(&ring);
  return sample;
}

}  // namespace ringpoll::bench
