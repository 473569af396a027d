// The memory that sockets are read into: where reads begin, and how much a turn takes.
#include "core/memory/receive_buffers.h"

#include "check.h"
#include "malloc_slabs.h"
#include "random.h"

namespace {

using namespace ringpoll;

TEST(receive_buffers_begin_no_read_within_the_first_bytes_of_a_page) {
  test::MallocSlabs slabs;
  Arena arena(slabs, true);
  ReceiveBuffers buffers(arena);
  test::Random random(7);
  uint32_t reads = 0;
  uint32_t wholePages = 0;
  for (int turn = 0; turn < 50; ++turn) {
    ReceiveBuffers::Room room;
    const bool pages = random.oneIn(2);
    while (buffers.room(&room)) {
      CHECK(reinterpret_cast<uintptr_t>(room.at) % kPageBytes >= kPageStartBytes);
      CHECK_EQ(room.at - arena.data(room.block), room.offset);
      CHECK(room.bytes >= kReceiveRoomMin && room.bytes <= kReceiveMax);
      CHECK(arena.contains(room.block, room.offset, room.bytes));
      const auto bytes = pages ? kPageBytes << random.below(4)
                               : static_cast<uint32_t>(random.between(1, 2 * kPageBytes));
      wholePages += pages;
      buffers.commit(bytes);
      ++reads;
    }
    CHECK(buffers.turnIsFull() && !buffers.takeStarved());
    buffers.endTurn();
  }
  CHECK(reads > 500 && wholePages > 100);
  CHECK_EQ(arena.stats().outstanding, 1);
}

TEST(receive_buffers_lay_reads_of_a_turn_one_behind_the_other) {
  test::MallocSlabs slabs;
  Arena arena(slabs, true);
  ReceiveBuffers buffers(arena);
  ReceiveBuffers::Room first;
  ReceiveBuffers::Room again;
  ReceiveBuffers::Room second;
  CHECK(buffers.room(&first));
  CHECK(buffers.room(&again));  // asking takes nothing
  CHECK_EQ(first.offset, again.offset);
  buffers.commit(100);
  CHECK(buffers.room(&second));
  CHECK_EQ(second.block, first.block);
  CHECK_EQ(second.offset, first.offset + 128);
  buffers.endTurn();
  CHECK(buffers.room(&second));
  CHECK_EQ(second.offset, first.offset);
}

}  // namespace
