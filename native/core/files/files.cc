// Requests that the ring serves, and the ranges of files that are being sent.
#include "files.h"

#include <fcntl.h>

#include <memory>
#include <utility>

#include "core/base/assert.h"
#include "core/base/limits.h"

namespace ringpoll {

FileRequest* Files::request(uint32_t id) {
  while (requests_.size() <= id) {
    requests_.emplace_back();
    requests_.back().id = static_cast<uint32_t>(requests_.size()) - 1;
  }
  FileRequest& request = requests_[id];
  return request.inKernel ? nullptr : &request;
}

bool Files::lease(FileRequest& request, uint32_t bytes) {
  request.block = arena_.lease(bytes);
  if (request.block == kNoBlock) return false;
  request.memory = arena_.data(request.block);
  return true;
}

void Files::submit(FileRequest& request) {
  RP_ASSERT(engine_ != nullptr);
  ++underWay_;
  request.onWorker = !guard_.open(StallGuard::nowMs());
  engine_->submit(request);
}

void Files::cancel(uint32_t id) {
  if (id < requests_.size() && requests_[id].inKernel) engine_->cancel(requests_[id]);
}

void Files::release(FileRequest& request) {
  if (request.block != kNoBlock) arena_.release(request.block);
  request.block = kNoBlock;
  request.memory = nullptr;
}

FileRequest* Files::fetch(uint32_t bytes) {
  if (freeFetches_.empty()) {
    freeFetches_.push_back(static_cast<uint32_t>(fetches_.size()));
    fetches_.emplace_back();
    fetches_.back().id = freeFetches_.back() | kFetchBit;
  }
  FileRequest& request = fetches_[freeFetches_.back()];
  if (!lease(request, bytes)) return nullptr;
  freeFetches_.pop_back();
  request.op = FileOp::kRead;
  request.length = bytes;
  return &request;
}

BlockId Files::fetched(FileRequest& request) {
  --underWay_;
  freeFetches_.push_back(request.id & ~kFetchBit);
  request.memory = nullptr;
  return std::exchange(request.block, kNoBlock);
}

void Files::completed(FileRequest& request, int32_t result) {
  --underWay_;
  if (request.op == FileOp::kOpen && result >= 0) {
    const int64_t file = table_.add(result, true, (request.flags & O_APPEND) != 0);
    if (file < 0) calls_.close(result);
    result = static_cast<int32_t>(file);
  }
  // What was read is JavaScript's until it gives the block back; everything else ends here.
  const bool keeps = result >= 0 && (request.op == FileOp::kRead || request.op == FileOp::kStat);
  if (!keeps) {
    release(request);
    events_.pushFile(EventKind::kFile, request.id, result, 0, 0, kNoBlock);
    return;
  }
  const BlockId block = std::exchange(request.block, kNoBlock);
  request.memory = nullptr;
  events_.pushFile(EventKind::kFile, request.id, result, arena_.slabOffset(block),
                   arena_.slab(block), block);
}

uint32_t Files::addRange(const FileRange& range) {
  ++underWay_;
  if (freeRanges_.empty()) {
    ranges_.push_back(range);
    return static_cast<uint32_t>(ranges_.size()) - 1;
  }
  const uint32_t index = freeRanges_.back();
  freeRanges_.pop_back();
  ranges_[index] = range;
  return index;
}

void Files::endRange(uint32_t index, int32_t result) {
  --underWay_;
  events_.pushFile(EventKind::kFile, ranges_[index].id, result, 0, 0, kNoBlock);
  freeRanges_.push_back(index);
}

void Files::abandon() {
  // Paths and results of operations that the kernel has not finished: nobody may free them.
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): leaking them is the purpose
  for (std::deque<FileRequest>* held : {&requests_, &fetches_}) {
    static_cast<void>(std::make_unique<std::deque<FileRequest>>(std::move(*held)).release());
  }
}

}  // namespace ringpoll
