// Memory for bytes that live for a while and then all go at once: those of a turn, or of a flush.
//
// Rooms lie one behind the other in a block. recycle() starts again from its beginning, unless
// something else has a reference of the block: then it is left to that, and another takes its
// place.
#pragma once

#include <cstring>
#include <vector>

#include "arena.h"

namespace ringpoll {

class ScratchBlock {
 public:
  struct Room {
    uint8_t* at = nullptr;
    BlockId block = kNoBlock;
    uint32_t offset = 0;
    uint32_t bytes = 0;  // at least what was asked for
  };

  explicit ScratchBlock(Arena& arena) : arena_(arena) {}
  ~ScratchBlock() {
    recycle();
    if (block_ != kNoBlock) arena_.release(block_);
  }
  ScratchBlock(const ScratchBlock&) = delete;
  ScratchBlock& operator=(const ScratchBlock&) = delete;

  // At least `bytes`, at most kHotBlockBytes. False: no memory.
  bool room(uint32_t bytes, Room* out) {
    RP_ASSERT(bytes <= kHotBlockBytes);
    if (block_ != kNoBlock && kHotBlockBytes - used_ < bytes) {
      full_.push_back(block_);
      block_ = kNoBlock;
    }
    if (block_ == kNoBlock) {
      block_ = arena_.lease(kHotBlockBytes);
      used_ = 0;
      if (block_ == kNoBlock) return false;
    }
    *out = {arena_.data(block_) + used_, block_, used_, kHotBlockBytes - used_};
    return true;
  }
  // So many bytes of the last room are in use.
  void commit(uint32_t bytes) { used_ += bytes; }

  // A place in time: what is written after it can be taken back, when nothing needs it any more.
  struct Mark {
    BlockId block = kNoBlock;
    uint32_t used = 0;
  };
  Mark mark() const { return {block_, used_}; }
  void rewind(const Mark& mark) {
    if (block_ == kNoBlock) return;
    const uint32_t to = mark.block == block_ ? mark.used : 0;
    if (arena_.checked()) std::memset(arena_.data(block_) + to, Arena::kPoison, used_ - to);
    used_ = to;
  }

  // What was written is over.
  void recycle() {
    for (BlockId block : full_) arena_.release(block);
    full_.clear();
    if (block_ == kNoBlock || used_ == 0) return;
    if (arena_.references(block_) > 1) {
      arena_.release(block_);
      block_ = kNoBlock;
    } else {
      rewind({block_, 0});
    }
    used_ = 0;
  }

 private:
  Arena& arena_;
  BlockId block_ = kNoBlock;
  uint32_t used_ = 0;
  std::vector<BlockId> full_;
};

}  // namespace ringpoll
