// Bytes that wait to leave on one connection, in order: a list of views on arena blocks.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "arena.h"

namespace ringpoll {

struct SendNode {
  SendNode* next;
  BlockId block;
  uint32_t offset;
  uint32_t length;
  bool pinned;  // this node holds a reference of the block
};

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
  // Fills at most `max` iovecs, in order.
  uint32_t gather(const SendQueue& queue, iovec* vectors, uint32_t max);
  // Drops `bytes` from the front.
  void consume(SendQueue& queue, uint64_t bytes);
  // Makes what is left independent of blocks that are reused at the end of the turn: few bytes are
  // copied, many keep their block. False: no memory, and the queue is as it was.
  bool keep(SendQueue& queue);
  // Drops everything; returns the bytes dropped.
  uint64_t clear(SendQueue& queue);

  uint64_t bytesCopied() const { return bytesCopied_; }

 private:
  SendNode* take();
  void give(SendNode* node);
  bool copyNode(SendNode& node);

  Arena& arena_;
  SendNode* free_ = nullptr;
  std::vector<std::unique_ptr<SendNode[]>> pages_;
  BlockId copyBlock_ = kNoBlock;  // small remainders share one block
  uint32_t copyUsed_ = 0;
  uint64_t bytesCopied_ = 0;
};

}  // namespace ringpoll
