// What a submission and its completion cost, and a message by each way that a ring has for it.
#include <poll.h>

#include <cstring>
#include <memory>
#include <optional>

#include "bench_cases.h"
#include "core/engine/uring_ring.h"
#include "heap_slabs.h"
#include "socket_pair.h"

namespace ringpoll::bench {

namespace {

constexpr uint32_t kEntries = 256;
constexpr uint32_t kBatch = 32;
constexpr uint64_t kPollTag = 1;

// A ring with what it needs around it.
struct Bench {
  HeapSlabs slabs;
  Arena arena{slabs, false};
  Metrics metrics;
  Ring ring{arena, metrics};
  std::string refused = ring.open(kEntries);

  // Submits, and waits until `count` operations have completed. False: problem() says why not.
  bool complete(uint32_t count) {
    std::optional<Deadline> deadline;  // since the first wait that brought nothing
    while (count > 0) {
      const uint32_t before = count;
      ring.enter(standstillMs * int64_t{1'000'000});
      ring.drain([&] { return count > 0; },
                 [&](const io_uring_cqe& cqe) {
                   if (cqe.res < 0) error = -cqe.res;
                   more = (cqe.flags & IORING_CQE_F_MORE) != 0;
                   --count;
                 });
      if (count < before) continue;
      if (deadline && deadline->over()) return false;
      if (!deadline) deadline.emplace();
    }
    return error == 0;
  }
  Sample problem() const {
    if (error == 0) return standstill("a completion");
    return fail(std::string("an operation failed: ") + std::strerror(error));
  }

  int error = 0;
  bool more = false;  // the operation that completed last stays in the ring
};

}  // namespace

Sample ringNop(uint32_t operations, const Threads&) {
  auto bench = std::make_unique<Bench>();
  if (!bench->refused.empty()) return refuse(bench->refused);
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) {
    io_uring_prep_nop(bench->ring.next(0));
    if (!bench->complete(1)) return bench->problem();
  }
  return {watch.elapsedNs(), 0, ""};
}

Sample ringNopBatch(uint32_t operations, const Threads&) {
  auto bench = std::make_unique<Bench>();
  if (!bench->refused.empty()) return refuse(bench->refused);
  const Stopwatch watch;
  for (uint32_t done = 0; done < operations; done += kBatch) {
    const uint32_t count = operations - done < kBatch ? operations - done : kBatch;
    for (uint32_t i = 0; i < count; ++i) io_uring_prep_nop(bench->ring.next(0));
    if (!bench->complete(count)) return bench->problem();
  }
  return {watch.elapsedNs(), 0, ""};
}

Sample ringPoll(uint32_t operations, const Threads&) {
  auto bench = std::make_unique<Bench>();
  if (!bench->refused.empty()) return refuse(bench->refused);
  SocketPair pair;
  if (!pair.open() || ::send(pair.near(), "x", 1, 0) != 1) return refuse("no socket pair");
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) {
    io_uring_prep_poll_add(bench->ring.next(0), pair.far(), POLLIN);
    if (!bench->complete(1)) return bench->problem();
  }
  return {watch.elapsedNs(), 0, ""};
}

// A poll stays in the ring; both the send and the receive are plain system calls.
Sample ringReadinessMessage(uint32_t operations, const Threads&) {
  auto bench = std::make_unique<Bench>();
  if (!bench->refused.empty()) return refuse(bench->refused);
  SocketPair pair;
  if (!pair.open()) return refuse("no socket pair");
  char bytes[kMessageBytes] = {};
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) {
    if (!bench->more) {
      io_uring_prep_poll_multishot(bench->ring.next(kPollTag), pair.far(), POLLIN);
    }
    if (::send(pair.near(), bytes, sizeof bytes, 0) < 0) return fail("send failed");
    if (!bench->complete(1)) return bench->problem();
    if (::recv(pair.far(), bytes, sizeof bytes, 0) < 0) return fail("receive failed");
  }
  return {watch.elapsedNs(), uint64_t{operations} * kMessageBytes, ""};
}

// Both are operations of the ring, submitted together.
Sample ringCompletionMessage(uint32_t operations, const Threads&) {
  auto bench = std::make_unique<Bench>();
  if (!bench->refused.empty()) return refuse(bench->refused);
  SocketPair pair;
  if (!pair.open()) return refuse("no socket pair");
  char out[kMessageBytes] = {};
  char in[kMessageBytes];
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) {
    io_uring_prep_send(bench->ring.next(0), pair.near(), out, sizeof out, 0);
    io_uring_prep_recv(bench->ring.next(0), pair.far(), in, sizeof in, 0);
    if (!bench->complete(2)) return bench->problem();
  }
  return {watch.elapsedNs(), uint64_t{operations} * kMessageBytes, ""};
}

}  // namespace ringpoll::bench
