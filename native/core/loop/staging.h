// JavaScript writes what it sends into one block, which starts again from its beginning when
// everything in it has left. If some of it is pinned, another block takes its place.
#pragma once

#include <cstdint>
#include <limits>

#include "core/base/assert.h"
#include "loop_state.h"
#include "protocol.h"

namespace ringpoll {

class Staging {
 public:
  explicit Staging(LoopState& state) : state_(state) {}

  // Everything that was staged has left, or is kept by its queue.
  void prepare() {
    Arena& arena = state_.arena;
    int32_t* control = state_.rings.control;
    if (block_ != kNoBlock) {
      if (control[kStagingUsed] == 0) return;
      if (arena.references(block_) > 1) release();
    }
    if (block_ == kNoBlock) {
      block_ = arena.lease(kHotBlockBytes);
      const bool have = block_ != kNoBlock;
      control[kStagingBlock] = static_cast<int32_t>(block_);
      control[kStagingSlab] = have ? static_cast<int32_t>(arena.slab(block_)) : -1;
      control[kStagingOffset] = have ? static_cast<int32_t>(arena.slabOffset(block_)) : 0;
      control[kStagingSize] = have ? static_cast<int32_t>(kHotBlockBytes) : 0;
    }
    control[kStagingUsed] = 0;
    control[kStagingRound] = (control[kStagingRound] + 1) & std::numeric_limits<int32_t>::max();
  }
  ReceivedBytes at(int32_t slabOffset, uint32_t length) const {
    RP_ASSERT(block_ != kNoBlock);
    const uint32_t offset = static_cast<uint32_t>(slabOffset) - state_.arena.slabOffset(block_);
    RP_ASSERT(state_.arena.contains(block_, offset, length));
    return {block_, offset, length};
  }
  void release() {
    if (block_ != kNoBlock) state_.arena.release(block_);
    block_ = kNoBlock;
  }

 private:
  LoopState& state_;
  BlockId block_ = kNoBlock;
};

}  // namespace ringpoll
