#include "send_queue.h"

#include <cstring>

#include "core/base/assert.h"

namespace ringpoll {

SendQueues::~SendQueues() {
  if (copyBlock_ != kNoBlock) arena_.release(copyBlock_);
}

SendNode* SendQueues::take() {
  if (free_ == nullptr) {
    pages_.push_back(std::make_unique<SendNode[]>(kSendNodesPerPage));
    for (uint32_t i = 0; i < kSendNodesPerPage; ++i) give(&pages_.back()[i]);
  }
  SendNode* node = free_;
  free_ = node->next;
  return node;
}

void SendQueues::give(SendNode* node) {
  node->next = free_;
  free_ = node;
}

void SendQueues::push(SendQueue& queue, BlockId block, uint32_t offset, uint32_t length,
                      bool pinned) {
  SendNode* tail = queue.tail;
  if (tail != nullptr && !pinned && !tail->pinned && tail->block == block &&
      tail->offset + tail->length == offset) {
    tail->length += length;
    return;
  }
  SendNode* node = take();
  *node = {nullptr, block, offset, length, pinned};
  append(queue, node);
}

void SendQueues::append(SendQueue& queue, SendNode* node) {
  if (queue.tail == nullptr) {
    queue.head = node;
  } else {
    queue.tail->next = node;
  }
  queue.tail = node;
}

void SendQueues::pushFront(SendQueue& queue, BlockId block, uint32_t offset, uint32_t length,
                           bool pinned) {
  SendNode* node = take();
  *node = {queue.head, block, offset, length, pinned};
  queue.head = node;
  if (queue.tail == nullptr) queue.tail = node;
}

void SendQueues::pushFile(SendQueue& queue, uint32_t range) {
  SendNode* node = take();
  *node = {nullptr, kNoBlock, range, 0, true};
  append(queue, node);
}

void SendQueues::popFile(SendQueue& queue) {
  RP_ASSERT(frontIsFile(queue));
  SendNode* node = queue.head;
  queue.head = node->next;
  if (queue.head == nullptr) queue.tail = nullptr;
  give(node);
}

uint32_t SendQueues::gather(const SendQueue& queue, iovec* vectors, uint32_t max) {
  uint32_t count = 0;
  for (const SendNode* node = queue.head; node != nullptr && count < max; node = node->next) {
    if (node->block == kNoBlock) break;
    vectors[count++] = {arena_.data(node->block) + node->offset, node->length};
  }
  return count;
}

void SendQueues::consume(SendQueue& queue, uint64_t bytes) {
  while (bytes > 0) {
    SendNode* node = queue.head;
    RP_ASSERT(node != nullptr && node->block != kNoBlock);
    if (bytes < node->length) {
      node->offset += static_cast<uint32_t>(bytes);
      node->length -= static_cast<uint32_t>(bytes);
      return;
    }
    bytes -= node->length;
    queue.head = node->next;
    if (queue.head == nullptr) queue.tail = nullptr;
    if (node->pinned) arena_.release(node->block);
    give(node);
  }
}

bool SendQueues::copyNode(SendNode& node) {
  if (copyBlock_ != kNoBlock && arena_.references(copyBlock_) == 1) copyUsed_ = 0;
  if (copyBlock_ != kNoBlock && copyUsed_ + node.length > arena_.size(copyBlock_)) {
    arena_.release(copyBlock_);
    copyBlock_ = kNoBlock;
  }
  if (copyBlock_ == kNoBlock) {
    copyBlock_ = arena_.lease(kBlockBytesMax / 4);
    copyUsed_ = 0;
    if (copyBlock_ == kNoBlock) return false;
  }
  std::memcpy(arena_.data(copyBlock_) + copyUsed_, arena_.data(node.block) + node.offset,
              node.length);
  bytesCopied_ += node.length;
  node.block = copyBlock_;
  node.offset = copyUsed_;
  copyUsed_ += node.length;
  return true;
}

bool SendQueues::keep(SendQueue& queue) {
  for (SendNode* node = queue.head; node != nullptr; node = node->next) {
    if (node->pinned) continue;
    if (node->length <= kCopyInsteadOfPinMax && !copyNode(*node)) return false;
    arena_.addRef(node->block);
    node->pinned = true;
  }
  return true;
}

}  // namespace ringpoll
