// The arena: size classes, reuse in LIFO order, reference counts, slabs that come and go.
#include "core/memory/arena.h"

#include <cstring>
#include <vector>

#include "check.h"
#include "malloc_slabs.h"
#include "random.h"

namespace {

using namespace ringpoll;
using test::MallocSlabs;

constexpr uint32_t blocksPerSlab(uint32_t blockBytes) { return kSlabBytes / blockBytes; }

TEST(arena_gives_the_smallest_class_that_holds_the_bytes) {
  MallocSlabs slabs;
  Arena arena(slabs, false);
  uint32_t smaller = 0;
  for (uint32_t size = kBlockBytesMin; size <= kBlockBytesMax; size *= 2) {
    for (uint32_t bytes : {smaller + 1, size - 1, size}) {
      const BlockId id = arena.lease(bytes);
      CHECK(id != kNoBlock);
      CHECK_EQ(arena.size(id), size);
      std::memset(arena.data(id), 0xaa, size);
      arena.release(id);
    }
    smaller = size;
  }
  const BlockId none = arena.lease(0);
  CHECK_EQ(arena.size(none), kBlockBytesMin);
  arena.release(none);
}

TEST(arena_blocks_lie_in_their_slab_and_do_not_overlap) {
  MallocSlabs slabs;
  Arena arena(slabs, false);
  std::vector<BlockId> ids;
  for (uint32_t i = 0; i < blocksPerSlab(kBlockBytesMax) * 3; ++i) {
    ids.push_back(arena.lease(kBlockBytesMax));
    std::memset(arena.data(ids[i]), static_cast<int>(i), kBlockBytesMax);
  }
  CHECK_EQ(slabs.slabsHeld, 3u);
  for (uint32_t i = 0; i < ids.size(); ++i) {
    const uint8_t* data = arena.data(ids[i]);
    CHECK(data == slabs.slab(arena.slab(ids[i])) + arena.slabOffset(ids[i]));
    CHECK_EQ(data[0], static_cast<uint8_t>(i));
    CHECK_EQ(data[kBlockBytesMax - 1], static_cast<uint8_t>(i));
  }
  for (BlockId id : ids) arena.release(id);
}

TEST(arena_reuses_the_block_released_last) {
  MallocSlabs slabs;
  Arena arena(slabs, false);
  const BlockId first = arena.lease(4096);
  const BlockId second = arena.lease(4096);
  arena.release(first);
  arena.release(second);
  CHECK_EQ(arena.lease(4096), second);
  CHECK_EQ(arena.lease(4096), first);
  CHECK_EQ(arena.stats().reused, 3u);  // all but the one that brought the slab
  arena.release(first);
  arena.release(second);
}

TEST(arena_keeps_a_block_until_its_last_reference_is_gone) {
  MallocSlabs slabs;
  Arena arena(slabs, true);
  const BlockId id = arena.lease(2048);
  std::memset(arena.data(id), 7, 2048);
  arena.addRef(id);
  arena.addRef(id);
  CHECK_EQ(arena.references(id), 3u);
  arena.release(id);
  arena.release(id);
  CHECK_EQ(arena.references(id), 1u);
  CHECK_EQ(arena.data(id)[2047], 7);
  CHECK_EQ(arena.stats().outstanding, 1u);
  arena.release(id);
  CHECK_EQ(arena.stats().outstanding, 0u);
}

TEST(arena_contains_only_ranges_of_held_blocks) {
  MallocSlabs slabs;
  Arena arena(slabs, false);
  CHECK(!arena.contains(0, 0, 0));
  CHECK(!arena.contains(kNoBlock, 0, 0));
  const BlockId id = arena.lease(2048);
  CHECK(arena.contains(id, 0, 2048));
  CHECK(arena.contains(id, 2048, 0));
  CHECK(arena.contains(id, 2047, 1));
  CHECK(!arena.contains(id, 2047, 2));
  CHECK(!arena.contains(id, 2049, 0));
  CHECK(!arena.contains(id, 1, 0xffffffff));
  CHECK(!arena.contains(id, 0xffffffff, 1));
  CHECK(!arena.contains(id + 1, 0, 0));  // exists, but nobody holds it
  arena.release(id);
  CHECK(!arena.contains(id, 0, 0));
}

TEST(arena_poisons_released_blocks_in_checked_mode_only) {
  for (const bool checked : {false, true}) {
    MallocSlabs slabs;
    Arena arena(slabs, checked);
    const BlockId id = arena.lease(4096);
    uint8_t* data = arena.data(id);
    std::memset(data, 7, 4096);
    arena.release(id);
    const uint8_t expected = checked ? Arena::kPoison : 7;
    CHECK_EQ(data[0], expected);
    CHECK_EQ(data[4095], expected);
  }
}

TEST(arena_answers_no_block_when_there_is_no_memory_and_recovers) {
  MallocSlabs slabs;
  slabs.slabsMax = 1;
  Arena arena(slabs, false);
  std::vector<BlockId> ids;
  for (uint32_t i = 0; i < blocksPerSlab(kBlockBytesMax); ++i) {
    ids.push_back(arena.lease(kBlockBytesMax));
  }
  CHECK_EQ(arena.lease(kBlockBytesMax), kNoBlock);
  CHECK_EQ(arena.lease(2048), kNoBlock);  // another class needs a slab of its own
  CHECK_EQ(arena.stats().refused, 2u);
  arena.release(ids.back());
  CHECK_EQ(arena.lease(kBlockBytesMax), ids.back());
  slabs.slabsMax = 2;
  const BlockId small = arena.lease(2048);
  CHECK(small != kNoBlock);
  arena.release(small);
  for (BlockId id : ids) arena.release(id);
}

TEST(arena_gives_back_slabs_beyond_those_kept_warm_and_takes_new_ones) {
  MallocSlabs slabs;
  Arena arena(slabs, true);
  const uint32_t wanted = kFreeSlabsKept + 5;
  for (uint32_t round = 0; round < 3; ++round) {
    std::vector<BlockId> ids;
    for (uint32_t i = 0; i < wanted * blocksPerSlab(kBlockBytesMax); ++i) {
      ids.push_back(arena.lease(kBlockBytesMax));
      CHECK(ids.back() != kNoBlock);
    }
    CHECK_EQ(arena.stats().slabs, wanted);
    CHECK_EQ(slabs.slabsHeld, wanted);
    for (BlockId id : ids) arena.release(id);
    CHECK_EQ(arena.stats().slabs, kFreeSlabsKept);
    CHECK_EQ(slabs.slabsHeld, kFreeSlabsKept);
    // A block of a slab that is gone is not there any more.
    uint32_t gone = 0;
    for (BlockId id : ids) gone += arena.contains(id, 0, 0) ? 0 : 1;
    CHECK_EQ(gone, ids.size());
  }
}

TEST(arena_returns_every_slab_when_it_ends) {
  MallocSlabs slabs;
  {
    Arena arena(slabs, false);
    arena.lease(2048);  // also those with blocks that are still held
    arena.release(arena.lease(4096));
    CHECK_EQ(slabs.slabsHeld, 2u);
  }
  CHECK_EQ(slabs.slabsHeld, 0u);
}

TEST(arena_leaves_memory_alone_once_abandoned) {
  MallocSlabs slabs;
  {
    Arena arena(slabs, true);
    std::vector<BlockId> ids;
    for (uint32_t i = 0; i < (kFreeSlabsKept + 2) * blocksPerSlab(kBlockBytesMax); ++i) {
      ids.push_back(arena.lease(kBlockBytesMax));
      std::memset(arena.data(ids.back()), 7, kBlockBytesMax);
    }
    arena.abandon();
    // Those that hold blocks let go of them on their way out; the kernel may still write there.
    for (BlockId id : ids) arena.release(id);
  }
  CHECK_EQ(slabs.slabsHeld, kFreeSlabsKept + 2);
  CHECK_EQ(slabs.slab(0)[0], 7);
}

// What the arena should hold, kept beside it.
struct Model {
  struct Held {
    BlockId id;
    uint32_t refs;
    uint8_t fill;
  };
  std::vector<Held> held;
};

// The whole block has to be as it was filled; a few places stand for all of them.
void expectFilled(Arena& arena, const Model::Held& held) {
  const uint32_t size = arena.size(held.id);
  const uint8_t* data = arena.data(held.id);
  for (uint32_t at : {0u, size / 3, size - 1}) CHECK_EQ(data[at], held.fill);
  CHECK_EQ(arena.references(held.id), held.refs);
}

void runAgainstModel(uint64_t seed) {
  test::Random random(seed);
  MallocSlabs slabs;
  slabs.slabsMax = 24;
  Arena arena(slabs, true);
  Model model;
  for (uint32_t step = 0; step < 20'000; ++step) {
    const uint64_t what = random.below(10);
    // Phases of growth and of shrinking, so that slabs come and go.
    const bool growing = (step / 2000) % 2 == 0;
    if (what < (growing ? 6u : 3u)) {
      const auto bytes = static_cast<uint32_t>(random.below(kBlockBytesMax >> random.below(8))) + 1;
      const BlockId id = arena.lease(bytes);
      if (id == kNoBlock) {
        CHECK_EQ(slabs.slabsHeld, slabs.slabsMax);
        continue;
      }
      CHECK(arena.size(id) >= bytes &&
            (arena.size(id) == kBlockBytesMin || arena.size(id) / 2 < bytes));
      for (const Model::Held& other : model.held) CHECK(other.id != id);
      const auto fill = static_cast<uint8_t>(random.below(200));
      std::memset(arena.data(id), fill, arena.size(id));
      model.held.push_back({id, 1, fill});
    } else if (!model.held.empty()) {
      Model::Held& chosen = model.held[random.below(model.held.size())];
      expectFilled(arena, chosen);
      if (what == 9 && growing) {
        arena.addRef(chosen.id);
        ++chosen.refs;
        continue;
      }
      arena.release(chosen.id);
      if (--chosen.refs > 0) continue;
      CHECK(!arena.contains(chosen.id, 0, 0));
      chosen = model.held.back();
      model.held.pop_back();
    }
    CHECK_EQ(arena.stats().outstanding, model.held.size());
    CHECK_EQ(arena.stats().slabs, slabs.slabsHeld);
  }
  for (const Model::Held& held : model.held) {
    expectFilled(arena, held);
    for (uint32_t i = 0; i < held.refs; ++i) arena.release(held.id);
  }
  CHECK_EQ(arena.stats().outstanding, 0u);
  CHECK(slabs.slabsHeld <= kFreeSlabsKept);
}

TEST(arena_agrees_with_a_model_under_random_use) {
  for (uint64_t seed = 1; seed <= 5; ++seed) runAgainstModel(seed);
}

}  // namespace
