// Blocks of memory that JavaScript owns and native code borrows.
//
// A slab is one ArrayBuffer, carved into blocks of one size class. A block has a reference count:
// the last release puts it on top of its class's free list (LIFO: the next lease is warm).
//
//   free --lease--> held (refs = 1) --addRef--> held (refs + 1)
//    ^                 |
//    +--- release, refs = 0 (poisoned in checked mode)
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/assert.h"
#include "core/base/limits.h"

namespace ringpoll {

using BlockId = uint32_t;
inline constexpr BlockId kNoBlock = 0xffffffff;

// Where slabs come from: ArrayBuffers under Node, malloc in the tests of the core.
class SlabSource {
 public:
  virtual ~SlabSource() = default;
  // Zero-filled memory that stays in place until releaseSlab(index); nullptr when there is none.
  virtual uint8_t* allocateSlab(uint32_t index, uint32_t bytes) = 0;
  virtual void releaseSlab(uint32_t index) = 0;
};

struct ArenaStats {
  uint64_t leases = 0;       // blocks handed out
  uint64_t reused = 0;       // of these, from a free list
  uint64_t refused = 0;      // no memory
  uint32_t outstanding = 0;  // blocks held now
  uint32_t peak = 0;         // most blocks held at once
  uint32_t slabs = 0;        // slabs held now
};

class Arena {
 public:
  Arena(SlabSource& source, bool checked) : source_(source), checked_(checked) {}
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // A block of at least `bytes` (at most kBlockBytesMax) with one reference; kNoBlock: no memory.
  BlockId lease(uint32_t bytes);
  // Whether a lease of so many bytes would find a block without asking for a slab.
  bool hasFree(uint32_t bytes) const;
  void addRef(BlockId id) { ++held(id).refs; }
  void release(BlockId id);

  uint8_t* data(BlockId id) { return held(id).base; }
  uint32_t size(BlockId id) { return kBlockBytesMin << held(id).sizeClass; }
  uint32_t references(BlockId id) { return held(id).refs; }
  uint32_t slab(BlockId id) { return held(id).slab; }
  uint32_t slabOffset(BlockId id) { return held(id).slabOffset; }
  // True when `id` names a block that is held and [offset, offset + length) lies inside it.
  bool contains(BlockId id, uint32_t offset, uint32_t length) const {
    if (id >= blocks_.size() || blocks_[id].refs == 0) return false;
    const uint32_t size = kBlockBytesMin << blocks_[id].sizeClass;
    return offset <= size && length <= size - offset;
  }

  // Leaves all memory alone from now on, for ever: the kernel has not let go of it.
  void abandon() { abandoned_ = true; }

  bool checked() const { return checked_; }
  const ArenaStats& stats() const { return stats_; }

  static constexpr uint8_t kPoison = 0xdb;

 private:
  struct Block {
    uint8_t* base = nullptr;
    uint32_t slab = 0;
    uint32_t slabOffset = 0;
    uint32_t refs = 0;
    BlockId freePrevious = kNoBlock;
    BlockId freeNext = kNoBlock;
    uint8_t sizeClass = 0;
  };
  struct Slab {
    uint8_t* base = nullptr;
    BlockId firstBlock = kNoBlock;
    uint32_t blockCount = 0;
    uint32_t freeCount = 0;
  };

  // In the header: a request asks some ten times.
  Block& held(BlockId id) {
    RP_ASSERT(id < blocks_.size() && blocks_[id].refs > 0);
    return blocks_[id];
  }
  bool grow(uint32_t sizeClass);
  void pushFree(BlockId id);
  void unlinkFree(BlockId id);
  void releaseSlab(uint32_t index);

  SlabSource& source_;
  const bool checked_;
  bool abandoned_ = false;
  std::vector<Block> blocks_;
  std::vector<Slab> slabs_;
  std::vector<uint32_t> freeSlabIndexes_;
  std::vector<BlockId> freeRanges_[kBlockClasses];  // first ids of block ranges without a slab
  BlockId freeHead_[kBlockClasses] = {kNoBlock, kNoBlock, kNoBlock, kNoBlock,
                                      kNoBlock, kNoBlock, kNoBlock, kNoBlock};
  uint32_t whollyFree_ = 0;
  ArenaStats stats_;
};

}  // namespace ringpoll
