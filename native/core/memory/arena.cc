#include "arena.h"

#include <cstring>

#include "core/base/assert.h"

namespace ringpoll {

namespace {
uint32_t sizeClassOf(uint32_t bytes) {
  uint32_t sizeClass = 0;
  while ((kBlockBytesMin << sizeClass) < bytes) ++sizeClass;
  return sizeClass;
}
}  // namespace

Arena::~Arena() {
  if (abandoned_) return;
  for (uint32_t i = 0; i < slabs_.size(); ++i) {
    if (slabs_[i].base != nullptr) source_.releaseSlab(i);
  }
}

bool Arena::hasFree(uint32_t bytes) const { return freeHead_[sizeClassOf(bytes)] != kNoBlock; }

BlockId Arena::lease(uint32_t bytes) {
  RP_ASSERT(bytes <= kBlockBytesMax);
  const uint32_t sizeClass = sizeClassOf(bytes);
  if (freeHead_[sizeClass] == kNoBlock) {
    if (!grow(sizeClass)) {
      ++stats_.refused;
      return kNoBlock;
    }
  } else {
    ++stats_.reused;
  }
  const BlockId id = freeHead_[sizeClass];
  unlinkFree(id);
  blocks_[id].refs = 1;
  ++stats_.leases;
  if (++stats_.outstanding > stats_.peak) stats_.peak = stats_.outstanding;
  return id;
}

void Arena::release(BlockId id) {
  Block& block = held(id);
  if (--block.refs > 0) return;
  --stats_.outstanding;
  if (abandoned_) return;
  if (checked_) std::memset(block.base, kPoison, kBlockBytesMin << block.sizeClass);
  const uint32_t slab = block.slab;
  pushFree(id);
  if (slabs_[slab].freeCount == slabs_[slab].blockCount && whollyFree_ > kFreeSlabsKept) {
    releaseSlab(slab);
  }
}

bool Arena::grow(uint32_t sizeClass) {
  uint32_t index;
  if (freeSlabIndexes_.empty()) {
    index = static_cast<uint32_t>(slabs_.size());
    slabs_.emplace_back();
  } else {
    index = freeSlabIndexes_.back();
    freeSlabIndexes_.pop_back();
  }
  uint8_t* base = source_.allocateSlab(index, kSlabBytes);
  if (base == nullptr) {
    freeSlabIndexes_.push_back(index);
    return false;
  }
  const uint32_t blockBytes = kBlockBytesMin << sizeClass;
  const uint32_t count = kSlabBytes / blockBytes;
  BlockId first;
  if (freeRanges_[sizeClass].empty()) {
    first = static_cast<BlockId>(blocks_.size());
    blocks_.resize(blocks_.size() + count);
  } else {
    first = freeRanges_[sizeClass].back();
    freeRanges_[sizeClass].pop_back();
  }
  slabs_[index] = {base, first, count, 0};
  ++stats_.slabs;
  for (uint32_t i = count; i-- > 0;) {
    Block& block = blocks_[first + i];
    block = {base + i * blockBytes,          index, i * blockBytes, 0, kNoBlock, kNoBlock,
             static_cast<uint8_t>(sizeClass)};
    pushFree(first + i);
  }
  return true;
}

void Arena::pushFree(BlockId id) {
  Block& block = blocks_[id];
  BlockId& head = freeHead_[block.sizeClass];
  block.freePrevious = kNoBlock;
  block.freeNext = head;
  if (head != kNoBlock) blocks_[head].freePrevious = id;
  head = id;
  Slab& slab = slabs_[block.slab];
  if (++slab.freeCount == slab.blockCount) ++whollyFree_;
}

void Arena::unlinkFree(BlockId id) {
  Block& block = blocks_[id];
  if (block.freePrevious == kNoBlock) {
    freeHead_[block.sizeClass] = block.freeNext;
  } else {
    blocks_[block.freePrevious].freeNext = block.freeNext;
  }
  if (block.freeNext != kNoBlock) blocks_[block.freeNext].freePrevious = block.freePrevious;
  Slab& slab = slabs_[block.slab];
  if (slab.freeCount-- == slab.blockCount) --whollyFree_;
}

// Only called when every block of the slab is free, so nobody can name its memory any more.
void Arena::releaseSlab(uint32_t index) {
  Slab& slab = slabs_[index];
  const uint32_t sizeClass = blocks_[slab.firstBlock].sizeClass;
  for (uint32_t i = 0; i < slab.blockCount; ++i) {
    unlinkFree(slab.firstBlock + i);
    blocks_[slab.firstBlock + i].base = nullptr;
  }
  freeRanges_[sizeClass].push_back(slab.firstBlock);
  source_.releaseSlab(index);
  slab = Slab{};
  freeSlabIndexes_.push_back(index);
  --stats_.slabs;
}

}  // namespace ringpoll
