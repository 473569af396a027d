// Bytes that wait to leave on one connection, in order: a list of views on arena blocks, and of
// ranges of files between them.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/memory/arena.h"

namespace ringpoll {

struct SendNode {
  SendNode* next;
  BlockId block;  // kNoBlock: a range of a file, whose number stands in offset
  uint32_t offset;
  uint32_t length;
  bool pinned;  // this node holds a reference of the block
};

// The number of no file: bytes in a pipe, of which a queue has at most one. See pipelines.h.
inline constexpr uint32_t kPipedRange = UINT32_MAX;

struct SendQueue {
  SendNode* head = nullptr;
  SendNode* tail = nullptr;

  bool empty() const { return head == nullptr; }
};

// The operations on queues, and the pool of their nodes.
class SendQueues {
 public:
  explicit SendQueues(Arena& arena) : arena_(arena) {}
  ~SendQueues();
  SendQueues(const SendQueues&) = delete;
  SendQueues& operator=(const SendQueues&) = delete;

  // Appends [offset, offset + length) of `block`. Bytes that follow the last view without a gap
  // join it, so that a turn's writes to one connection are one iovec.
  void push(SendQueue& queue, BlockId block, uint32_t offset, uint32_t length, bool pinned);
  // The same in front of everything else.
  void pushFront(SendQueue& queue, BlockId block, uint32_t offset, uint32_t length, bool pinned);
  // Appends a range of a file.
  void pushFile(SendQueue& queue, uint32_t range);
  bool frontIsFile(const SendQueue& queue) const {
    return queue.head != nullptr && queue.head->block == kNoBlock;
  }
  bool frontIsPiped(const SendQueue& queue) const {
    return frontIsFile(queue) && queue.head->offset == kPipedRange;
  }
  uint32_t frontFile(const SendQueue& queue) const { return queue.head->offset; }
  void popFile(SendQueue& queue);
  // Fills at most `max` iovecs, in order, up to the first range of a file.
  uint32_t gather(const SendQueue& queue, iovec* vectors, uint32_t max);
  // All that waits, or UINT64_MAX when a file is among it.
  uint64_t bytes(const SendQueue& queue) const {
    uint64_t sum = 0;
    for (const SendNode* node = queue.head; node != nullptr; node = node->next) {
      if (node->block == kNoBlock) return UINT64_MAX;
      sum += node->length;
    }
    return sum;
  }
  // Drops `bytes` from the front.
  void consume(SendQueue& queue, uint64_t bytes);
  // Makes what is left independent of blocks that are reused at the end of the turn: few bytes are
  // copied, many keep their block. False: no memory, and the queue is as it was.
  bool keep(SendQueue& queue);
  // Drops everything; returns the bytes dropped. `file(range)` hears of each range.
  template <typename File>
  uint64_t clear(SendQueue& queue, File&& file) {
    uint64_t bytes = 0;
    while (queue.head != nullptr) {
      if (!frontIsFile(queue)) {
        bytes += queue.head->length;
        consume(queue, queue.head->length);
        continue;
      }
      const uint32_t range = frontFile(queue);
      popFile(queue);
      if (range != kPipedRange) file(range);
    }
    return bytes;
  }
  uint64_t clear(SendQueue& queue) {
    return clear(queue, [](uint32_t) {});
  }

  uint64_t bytesCopied() const { return bytesCopied_; }

 private:
  SendNode* take();
  void give(SendNode* node);
  void append(SendQueue& queue, SendNode* node);
  bool copyNode(SendNode& node);

  Arena& arena_;
  SendNode* free_ = nullptr;
  std::vector<std::unique_ptr<SendNode[]>> pages_;
  BlockId copyBlock_ = kNoBlock;  // small remainders share one block
  uint32_t copyUsed_ = 0;
  uint64_t bytesCopied_ = 0;
};

}  // namespace ringpoll
