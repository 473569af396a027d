// A message that does not lie in one piece of received bytes is copied together: into a block that
// doubles as the peer sends, and beyond the largest one into several. What the peer announces costs
// nothing before it comes.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/loop/protocol.h"
#include "core/memory/arena.h"

namespace ringpoll::websocket {

class Gather {
 public:
  // False: no memory.
  bool append(Arena& arena, const uint8_t* data, uint32_t length) {
    while (length > 0) {
      if (room(arena) == 0 && !grow(arena, length)) return false;
      ReceivedBytes& last = pieces_.back();
      const uint32_t taken = std::min(length, room(arena));
      std::memcpy(arena.data(last.block) + last.length, data, taken);
      last.length += taken;
      data += taken;
      length -= taken;
    }
    return true;
  }
  const std::vector<ReceivedBytes>& pieces() const { return pieces_; }

 private:
  uint32_t room(Arena& arena) {
    return pieces_.empty() ? 0 : arena.size(pieces_.back().block) - pieces_.back().length;
  }
  bool grow(Arena& arena, uint32_t length) {
    const uint32_t held = pieces_.empty() ? 0 : pieces_.back().length;
    const bool another = pieces_.empty() || held == kBlockBytesMax;
    const uint32_t wanted = another ? length : std::max(held + length, 2 * held);
    const bool many = pieces_.size() > 1 || held == kBlockBytesMax;
    const BlockId block = arena.lease(many ? kBlockBytesMax : std::min(wanted, kBlockBytesMax));
    if (block == kNoBlock) return false;
    if (another) {
      pieces_.push_back({block, 0, 0});
      return true;
    }
    ReceivedBytes& last = pieces_.back();
    std::memcpy(arena.data(block), arena.data(last.block), held);
    arena.release(last.block);
    last.block = block;
    return true;
  }

  std::vector<ReceivedBytes> pieces_;
};

}  // namespace ringpoll::websocket
