// Received bytes, where they lie, and how a protocol keeps those that it must not parse yet.
#pragma once

#include <cstring>
#include <vector>

#include "arena.h"

namespace ringpoll {

inline constexpr uint32_t kHeldBytesMax = 4u << 20;  // of one connection: what was under way when
                                                     // reading paused
inline constexpr uint32_t kHeldBlockFactor = 4;      // they keep at most so much memory

// Bytes of a block. They are good until the turn is over; addRef() keeps the block for longer.
struct ReceivedBytes {
  BlockId block = kNoBlock;
  uint32_t offset = 0;
  uint32_t length = 0;
};

// Puts `piece` behind those that are held, with a reference of its block or as a copy. False: they
// would be more than kHeldBytesMax.
inline bool holdBytes(Arena& arena, std::vector<ReceivedBytes>& held, const ReceivedBytes& piece) {
  uint64_t bytes = piece.length;
  for (const ReceivedBytes& each : held) bytes += each.length;
  if (bytes > kHeldBytesMax) return false;
  // A few bytes must not keep a whole receive block.
  const bool wasteful = arena.size(piece.block) / kHeldBlockFactor > piece.length;
  const BlockId copy = wasteful ? arena.lease(piece.length) : kNoBlock;
  if (copy != kNoBlock) {
    std::memcpy(arena.data(copy), arena.data(piece.block) + piece.offset, piece.length);
    held.push_back({copy, 0, piece.length});
  } else {
    arena.addRef(piece.block);
    held.push_back(piece);
  }
  return true;
}

}  // namespace ringpoll
