// Send queues: views that join, iovecs in order, and what is kept when the turn ends.
#include "core/channel/send_queue.h"

#include <string>
#include <vector>

#include "check.h"
#include "malloc_slabs.h"
#include "random.h"

namespace {

using namespace ringpoll;
using test::MallocSlabs;

// All that a test of queues needs. Checked mode: a block that is released too early is poisoned.
struct Bench {
  MallocSlabs slabs;
  Arena arena{slabs, true};
  SendQueues queues{arena};
  SendQueue queue;

  BlockId filled(uint32_t bytes, uint64_t stream) {
    const BlockId id = arena.lease(bytes);
    for (uint32_t i = 0; i < arena.size(id); ++i) arena.data(id)[i] = test::streamByte(stream, i);
    return id;
  }
  std::string text(uint32_t vectorsMax = 4096) {
    std::vector<iovec> vectors(vectorsMax);
    const uint32_t count = queues.gather(queue, vectors.data(), vectorsMax);
    std::string all;
    for (uint32_t i = 0; i < count; ++i) {
      all.append(static_cast<const char*>(vectors[i].iov_base), vectors[i].iov_len);
    }
    return all;
  }
  std::string contents(BlockId id, uint32_t offset, uint32_t length) {
    return {reinterpret_cast<const char*>(arena.data(id)) + offset, length};
  }
  uint32_t vectors() {
    iovec all[kSendVectorsMax];
    return queues.gather(queue, all, kSendVectorsMax);
  }
};

TEST(send_queue_joins_bytes_that_follow_without_a_gap) {
  Bench bench;
  const BlockId block = bench.filled(4096, 1);
  bench.queues.push(bench.queue, block, 100, 50, false);
  bench.queues.push(bench.queue, block, 150, 50, false);
  CHECK_EQ(bench.vectors(), 1u);
  CHECK(bench.text() == bench.contents(block, 100, 100));
  bench.queues.push(bench.queue, block, 201, 9, false);  // a gap of one byte
  CHECK_EQ(bench.vectors(), 2u);
  bench.queues.push(bench.queue, block, 100, 10, false);  // the same bytes again
  CHECK_EQ(bench.vectors(), 3u);
  CHECK(bench.text() == bench.contents(block, 100, 100) + bench.contents(block, 201, 9) +
                            bench.contents(block, 100, 10));
  CHECK_EQ(bench.queues.clear(bench.queue), 119u);
  bench.arena.release(block);
}

TEST(send_queue_does_not_join_what_holds_references_of_its_own) {
  Bench bench;
  const BlockId block = bench.filled(4096, 1);
  bench.arena.addRef(block);
  bench.arena.addRef(block);
  bench.queues.push(bench.queue, block, 0, 10, true);
  bench.queues.push(bench.queue, block, 10, 10, true);
  bench.queues.push(bench.queue, block, 20, 10, false);
  CHECK_EQ(bench.vectors(), 3u);
  bench.queues.clear(bench.queue);
  CHECK_EQ(bench.arena.references(block), 1u);
  bench.arena.release(block);
}

TEST(send_queue_does_not_join_neighbours_of_different_blocks) {
  Bench bench;
  const BlockId first = bench.filled(2048, 1);
  const BlockId second = bench.filled(2048, 2);
  bench.queues.push(bench.queue, first, 0, 2048, false);
  bench.queues.push(bench.queue, second, 2048 - 48, 48, false);
  CHECK_EQ(bench.vectors(), 2u);
  CHECK(bench.text() == bench.contents(first, 0, 2048) + bench.contents(second, 2000, 48));
  bench.queues.clear(bench.queue);
  bench.arena.release(first);
  bench.arena.release(second);
}

TEST(send_queue_gathers_no_more_vectors_than_asked) {
  Bench bench;
  const BlockId block = bench.filled(4096, 1);
  for (uint32_t i = 0; i < 200; ++i) bench.queues.push(bench.queue, block, i * 2, 1, false);
  CHECK_EQ(bench.text(3).size(), 3u);
  CHECK_EQ(bench.vectors(), kSendVectorsMax);
  bench.queues.consume(bench.queue, kSendVectorsMax);
  CHECK(bench.text(1) == bench.contents(block, kSendVectorsMax * 2, 1));
  CHECK_EQ(bench.queues.clear(bench.queue), 200 - kSendVectorsMax);
  CHECK(bench.queue.empty());
  bench.arena.release(block);
}

TEST(send_queue_consumes_at_every_split) {
  constexpr uint32_t kTotal = 3 + 1 + 40 + 7;
  for (uint32_t first = 0; first <= kTotal; ++first) {
    for (uint32_t second = 0; first + second <= kTotal; second += 5) {
      Bench bench;
      const BlockId block = bench.filled(4096, 9);
      for (uint32_t at = 0; uint32_t length : {3u, 1u, 40u, 7u}) {
        bench.arena.addRef(block);
        bench.queues.push(bench.queue, block, at, length, true);
        at += length + 11;
      }
      const std::string whole = bench.text();
      bench.queues.consume(bench.queue, first);
      bench.queues.consume(bench.queue, second);
      CHECK(bench.text() == whole.substr(first + second));
      CHECK_EQ(bench.queue.empty(), first + second == kTotal);
      bench.queues.clear(bench.queue);
      CHECK_EQ(bench.arena.references(block), 1u);
      bench.arena.release(block);
    }
  }
}

TEST(send_queue_keeps_few_bytes_by_copying_and_many_by_holding_their_block) {
  Bench bench;
  const BlockId small = bench.filled(2048, 1);
  const BlockId large = bench.filled(128 * 1024, 2);
  bench.queues.push(bench.queue, small, 5, 1000, false);
  bench.queues.push(bench.queue, large, 7, kCopyInsteadOfPinMax + 1, false);
  const std::string before = bench.text();
  CHECK(bench.queues.keep(bench.queue));
  CHECK_EQ(bench.queues.bytesCopied(), 1000u);
  CHECK_EQ(bench.arena.references(small), 1u);
  CHECK_EQ(bench.arena.references(large), 2u);
  bench.arena.release(small);  // poisoned now
  bench.arena.release(large);
  CHECK(bench.text() == before);
  CHECK(bench.queues.keep(bench.queue));  // a second time changes nothing
  CHECK_EQ(bench.queues.bytesCopied(), 1000u);
  CHECK_EQ(bench.queues.clear(bench.queue), before.size());
  CHECK_EQ(bench.arena.stats().outstanding, 1u);  // the block that copies share
}

TEST(send_queue_shares_one_block_among_small_copies_and_starts_it_again) {
  Bench bench;
  const BlockId block = bench.filled(16 * 1024, 1);
  for (uint32_t round = 0; round < 200; ++round) {
    bench.queues.push(bench.queue, block, 0, 16 * 1024, false);
    CHECK(bench.queues.keep(bench.queue));
    CHECK(bench.text() == bench.contents(block, 0, 16 * 1024));
    bench.queues.clear(bench.queue);
  }
  CHECK_EQ(bench.arena.stats().leases, 2u);
  // While any of its bytes wait, it goes on behind them.
  SendQueue other;
  bench.queues.push(other, block, 0, 100, false);
  CHECK(bench.queues.keep(other));
  for (uint32_t round = 0; round < 20; ++round) {
    bench.queues.push(bench.queue, block, 0, 16 * 1024, false);
    CHECK(bench.queues.keep(bench.queue));
  }
  SendQueue mine = bench.queue;
  bench.queue = other;
  CHECK(bench.text() == bench.contents(block, 0, 100));
  bench.queues.clear(bench.queue);
  bench.queues.clear(mine);
  bench.arena.release(block);
  CHECK_EQ(bench.arena.stats().outstanding, 1u);
}

TEST(send_queue_that_finds_no_memory_to_keep_is_as_it_was) {
  Bench bench;
  const BlockId block = bench.filled(2048, 1);
  bench.slabs.slabsMax = 1;
  bench.queues.push(bench.queue, block, 0, 100, false);
  CHECK(!bench.queues.keep(bench.queue));
  CHECK(bench.text() == bench.contents(block, 0, 100));
  bench.slabs.slabsMax = 2;
  CHECK(bench.queues.keep(bench.queue));
  CHECK(bench.text() == bench.contents(block, 0, 100));
  bench.queues.clear(bench.queue);
  bench.arena.release(block);
}

// The queue against a string of the bytes that wait, with blocks that go away at each "turn's end".
void runAgainstModel(uint64_t seed) {
  test::Random random(seed);
  Bench bench;
  std::string model;
  BlockId hot = bench.filled(kHotBlockBytes, seed);
  uint32_t used = 0;
  for (int step = 0; step < 600; ++step) {
    const uint64_t what = random.below(10);
    if (what < 5) {
      const auto length = static_cast<uint32_t>(random.between(1, 1ull << random.between(1, 15)));
      if (used + length > kHotBlockBytes) continue;
      const uint32_t room = kHotBlockBytes - used - length;
      if (random.oneIn(4)) used += static_cast<uint32_t>(random.below(room + 1));
      bench.queues.push(bench.queue, hot, used, length, false);
      model += bench.contents(hot, used, length);
      used += length;
    } else if (what < 8) {
      const uint64_t bytes = random.below(model.size() + 1);
      bench.queues.consume(bench.queue, bytes);
      model.erase(0, bytes);
    } else {
      CHECK(bench.queues.keep(bench.queue));
      bench.arena.release(hot);
      hot = bench.filled(kHotBlockBytes, seed + static_cast<uint64_t>(step));
      used = 0;
    }
    CHECK(bench.text() == model);
    CHECK_EQ(bench.queue.empty(), model.empty());
  }
  CHECK_EQ(bench.queues.clear(bench.queue), model.size());
  bench.arena.release(hot);
  CHECK(bench.arena.stats().outstanding <= 1);
}

TEST(send_queue_agrees_with_a_string_under_random_use) {
  for (uint64_t seed = 1; seed <= 5; ++seed) runAgainstModel(seed);
}

}  // namespace
