// The arena, the send queue and the ready queue: what every message passes through.
#include <memory>

#include "bench_cases.h"
#include "core/channel/completion.h"
#include "core/channel/send_queue.h"
#include "heap_slabs.h"
#include "socket_pair.h"

namespace ringpoll::bench {

namespace {

Sample lease(uint32_t operations, uint32_t bytes) {
  HeapSlabs slabs;
  Arena arena(slabs, false);
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) {
    const BlockId block = arena.lease(bytes);
    if (block == kNoBlock) return refuse("no memory");
    keep(block);
    arena.release(block);
  }
  return {watch.elapsedNs(), 0, ""};
}

}  // namespace

Sample arenaLeaseSmall(uint32_t operations, const Threads&) {
  return lease(operations, kBlockBytesMin);
}

Sample arenaLeaseLarge(uint32_t operations, const Threads&) {
  return lease(operations, kBlockBytesMax);
}

Sample sendQueuePush(uint32_t operations, const Threads&) {
  HeapSlabs slabs;
  Arena arena(slabs, false);
  SendQueues queues(arena);
  const BlockId block = arena.lease(kHotBlockBytes);
  if (block == kNoBlock) return refuse("no memory");
  SendQueue queue;
  iovec vector;
  const Stopwatch watch;
  for (uint32_t i = 0; i < operations; ++i) {
    queues.push(queue, block, (i * kMessageBytes) % (kHotBlockBytes / 2), kMessageBytes, false);
    keep(queues.gather(queue, &vector, 1));
    queues.consume(queue, kMessageBytes);
  }
  const double elapsed = watch.elapsedNs();
  arena.release(block);
  return {elapsed, 0, ""};
}

Sample readyQueuePush(uint32_t operations, const Threads&) {
  ReadyQueue queue;
  uint64_t sum = 0;
  const Stopwatch watch;
  for (uint32_t done = 0; done < operations;) {
    for (; queue.room() > 0 && done < operations; ++done) {
      queue.push(done, OpKind::kSend, kMessageBytes);
    }
    for (size_t i = 0; i < queue.size(); ++i) sum += queue[i].token;
    queue.clear();
  }
  keep(sum);
  return {watch.elapsedNs(), 0, ""};
}

}  // namespace ringpoll::bench
