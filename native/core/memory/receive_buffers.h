// The warm memory that readiness engines read into.
//
// Reads of one turn are laid one behind the other in a block. When the turn is over (JavaScript has
// seen the bytes, the sends that refer to them are flushed or kept) the block starts again from its
// beginning, unless somebody retained it: then it is left to them and another takes its place.
//
// No read begins within the first bytes of a page: some processors copy several times slower into
// memory that begins there.
#pragma once

#include <utility>

#include "scratch_block.h"

namespace ringpoll {

class ReceiveBuffers {
 public:
  struct Room {
    uint8_t* at;
    uint32_t bytes;  // at least kReceiveRoomMin, at most kReceiveMax
    BlockId block;
    uint32_t offset;
  };

  explicit ReceiveBuffers(Arena& arena) : bytes_(arena) {}

  // False: the turn's budget is used up, or there is no memory (then takeStarved() tells).
  bool room(Room* out) {
    if (turnBytes_ >= kTurnBytesMax) return false;
    ScratchBlock::Room found;
    if (!bytes_.room(kReceiveRoomMin + kPageStartBytes, &found)) {
      starved_ = true;
      return false;
    }
    const auto inPage = reinterpret_cast<uintptr_t>(found.at) % kPageBytes;
    skipped_ = inPage < kPageStartBytes ? kPageStartBytes : 0;
    const uint32_t bytes = found.bytes - skipped_;
    *out = {found.at + skipped_, bytes < kReceiveMax ? bytes : kReceiveMax, found.block,
            found.offset + skipped_};
    return true;
  }

  // `bytes` of the last room were filled.
  void commit(uint32_t bytes) {
    bytes_.commit(skipped_ + ((bytes + kReceiveAlignBytes - 1) & ~(kReceiveAlignBytes - 1)));
    turnBytes_ += bytes;
  }

  // Bytes received into other memory count for the turn's budget too.
  void charge(uint32_t bytes) { turnBytes_ += bytes; }
  bool turnIsFull() const { return turnBytes_ >= kTurnBytesMax; }

  void endTurn() {
    turnBytes_ = 0;
    bytes_.recycle();
  }

  // Whether somebody wanted memory since this was last asked, and there was none.
  bool takeStarved() { return std::exchange(starved_, false); }

 private:
  ScratchBlock bytes_;
  uint32_t turnBytes_ = 0;
  uint32_t skipped_ = 0;  // before the last room
  bool starved_ = false;
};

}  // namespace ringpoll
