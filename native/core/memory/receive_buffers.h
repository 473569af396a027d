// The warm memory that readiness engines read into.
//
// Reads of one turn are laid one behind the other in a block. When the turn is over (JavaScript has
// seen the bytes, the sends that refer to them are flushed or kept) the block starts again from its
// beginning, unless somebody retained it: then it is left to them and another takes its place.
#pragma once

#include <cstring>
#include <utility>
#include <vector>

#include "arena.h"

namespace ringpoll {

class ReceiveBuffers {
 public:
  struct Room {
    uint8_t* at;
    uint32_t bytes;  // at least kReceiveRoomMin, at most kReceiveMax
    BlockId block;
    uint32_t offset;
  };

  explicit ReceiveBuffers(Arena& arena) : arena_(arena) {}
  ~ReceiveBuffers() {
    endTurn();
    if (block_ != kNoBlock) arena_.release(block_);
  }
  ReceiveBuffers(const ReceiveBuffers&) = delete;
  ReceiveBuffers& operator=(const ReceiveBuffers&) = delete;

  // False: the turn's budget is used up, or there is no memory (then takeStarved() tells).
  bool room(Room* out) {
    if (turnBytes_ >= kTurnBytesMax) return false;
    if (block_ != kNoBlock && kHotBlockBytes - used_ < kReceiveRoomMin) {
      full_.push_back(block_);
      block_ = kNoBlock;
    }
    if (block_ == kNoBlock) {
      block_ = arena_.lease(kHotBlockBytes);
      used_ = 0;
      if (block_ == kNoBlock) {
        starved_ = true;
        return false;
      }
    }
    const uint32_t left = kHotBlockBytes - used_;
    *out = {arena_.data(block_) + used_, left < kReceiveMax ? left : kReceiveMax, block_, used_};
    return true;
  }

  // `bytes` of the room were filled.
  void commit(uint32_t bytes) {
    used_ += (bytes + kReceiveAlignBytes - 1) & ~(kReceiveAlignBytes - 1);
    turnBytes_ += bytes;
  }

  // Bytes received into other memory count for the turn's budget too.
  void charge(uint32_t bytes) { turnBytes_ += bytes; }
  bool turnIsFull() const { return turnBytes_ >= kTurnBytesMax; }

  void endTurn() {
    turnBytes_ = 0;
    for (BlockId block : full_) arena_.release(block);
    full_.clear();
    if (block_ == kNoBlock || used_ == 0) return;
    if (arena_.references(block_) > 1) {
      arena_.release(block_);
      block_ = kNoBlock;
    } else if (arena_.checked()) {
      std::memset(arena_.data(block_), Arena::kPoison, used_);
    }
    used_ = 0;
  }

  // Whether somebody wanted memory since this was last asked, and there was none.
  bool takeStarved() { return std::exchange(starved_, false); }

 private:
  Arena& arena_;
  BlockId block_ = kNoBlock;
  uint32_t used_ = 0;
  uint32_t turnBytes_ = 0;
  bool starved_ = false;
  std::vector<BlockId> full_;
};

}  // namespace ringpoll
