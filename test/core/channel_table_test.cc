// Channels by slot and generation: stale names find nothing, slots come back only after reclaim().
#include "core/channel/channel_table.h"

#include <algorithm>
#include <set>
#include <vector>

#include "check.h"
#include "random.h"

namespace {

using namespace ringpoll;

TEST(channel_token_holds_slot_and_generation) {
  for (const uint32_t slot : {0u, 1u, kChannelsMax - 1}) {
    for (const uint32_t generation : {0u, 1u, kGenerationMask}) {
      const Token token = makeToken(slot, generation);
      CHECK_EQ(slotOf(token), slot);
      CHECK_EQ(generationOf(token), generation);
      CHECK_EQ(token >> 56, 0u);  // the engine's own
    }
  }
  CHECK_EQ(makeToken(5, kGenerationMask + 1), makeToken(5, 0));
}

TEST(channel_table_opens_a_fresh_channel_each_time) {
  ChannelTable table;
  Channel* channel = table.open(ChannelType::kConnection, 7);
  CHECK_EQ(channel->fd, 7);
  channel->flags = kPaused;
  channel->bytesRead = 9;
  channel->idleTimeoutMs = 5;
  const uint32_t slot = channel->slot;
  table.release(*channel);
  table.reclaim();
  Channel* again = table.open(ChannelType::kListener, 8);
  CHECK_EQ(again->slot, slot);
  CHECK_EQ(again->generation, 1u);
  CHECK_EQ(again->flags, 0);
  CHECK_EQ(again->bytesRead, 0u);
  CHECK_EQ(again->idleTimeoutMs, 0u);
  CHECK(again->type == ChannelType::kListener && again->state == ChannelState::kOpen);
}

TEST(channel_table_finds_nothing_under_a_stale_name) {
  ChannelTable table;
  CHECK(table.find(0, 0) == nullptr);
  CHECK(table.find(kChannelsMax, 0) == nullptr);
  Channel* channel = table.open(ChannelType::kConnection, 7);
  const Token stale = channel->token();
  CHECK(table.find(stale) == channel);
  CHECK(table.find(channel->slot, 1) == nullptr);
  table.release(*channel);
  CHECK(table.find(stale) == nullptr);
  CHECK(table.find(slotOf(stale), 1) == nullptr);  // the next generation has not begun
  table.reclaim();
  Channel* next = table.open(ChannelType::kConnection, 8);
  CHECK(table.find(stale) == nullptr);
  CHECK(table.find(next->token()) == next);
}

TEST(channel_table_does_not_reuse_a_slot_before_reclaim) {
  ChannelTable table;
  Channel* first = table.open(ChannelType::kConnection, 1);
  const uint32_t slot = first->slot;
  table.release(*first);
  Channel* second = table.open(ChannelType::kConnection, 2);
  CHECK(second->slot != slot);
  table.reclaim();
  CHECK_EQ(table.open(ChannelType::kConnection, 3)->slot, slot);
}

TEST(channel_table_begins_generations_again_after_the_last) {
  ChannelTable table;
  Channel* channel = table.open(ChannelType::kConnection, 1);
  channel->generation = kGenerationMask;
  const Token last = channel->token();
  table.release(*channel);
  table.reclaim();
  channel = table.open(ChannelType::kConnection, 1);
  CHECK_EQ(channel->generation, 0u);
  CHECK(table.find(last) == nullptr);
}

TEST(channel_table_never_moves_a_channel) {
  ChannelTable table;
  std::vector<Channel*> channels;
  for (int fd = 0; fd < static_cast<int>(kChannelsPerPage) * 5; ++fd) {
    channels.push_back(table.open(ChannelType::kConnection, fd));
  }
  CHECK_EQ(table.capacity(), kChannelsPerPage * 5);
  CHECK_EQ(table.used(), kChannelsPerPage * 5);
  for (int fd = 0; fd < static_cast<int>(channels.size()); ++fd) {
    CHECK_EQ(channels[static_cast<size_t>(fd)]->fd, fd);
    CHECK(table.find(channels[static_cast<size_t>(fd)]->token()) ==
          channels[static_cast<size_t>(fd)]);
  }
  uint32_t visited = 0;
  table.forEach([&](Channel&) { ++visited; });
  CHECK_EQ(visited, table.used());
}

TEST(channel_table_is_walked_in_parts) {
  ChannelTable table;
  std::vector<Channel*> open;
  for (int fd = 0; fd < 600; ++fd) open.push_back(table.open(ChannelType::kConnection, fd));
  for (size_t i = 0; i < open.size(); i += 3) table.release(*open[i]);
  for (const uint32_t slots : {1U, 7U, 256U, 599U, 100'000U, 0xffffffffU}) {
    std::vector<int> seen;
    uint32_t from = 0;
    uint32_t parts = 0;
    do {
      from =
          table.forEach(from, slots, [&](const Channel& channel) { seen.push_back(channel.fd); });
      ++parts;
    } while (from != 0);
    CHECK_EQ(seen.size(), 400U);
    CHECK(std::is_sorted(seen.begin(), seen.end()));
    CHECK(parts <= table.capacity() / slots + 1);
  }
  CHECK_EQ(table.forEach(table.capacity() + 1, 10, [](const Channel&) { CHECK(false); }), 0U);
}

TEST(channel_table_agrees_with_a_model_under_random_use) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    test::Random random(seed);
    ChannelTable table;
    std::vector<Token> open;
    std::vector<Token> over;
    std::set<uint32_t> unclaimed;
    for (int step = 0; step < 20'000; ++step) {
      if (random.oneIn(20)) {
        table.reclaim();
        unclaimed.clear();
      } else if (open.size() < 700 && random.below(100) < 55) {
        Channel* channel = table.open(ChannelType::kConnection, step);
        CHECK(unclaimed.count(channel->slot) == 0);
        for (Token token : open) CHECK(slotOf(token) != channel->slot);
        open.push_back(channel->token());
      } else if (!open.empty()) {
        const size_t at = random.below(open.size());
        Channel* channel = table.find(open[at]);
        CHECK(channel != nullptr && channel->token() == open[at]);
        table.release(*channel);
        unclaimed.insert(slotOf(open[at]));
        over.push_back(open[at]);
        open[at] = open.back();
        open.pop_back();
      }
      CHECK_EQ(table.used(), open.size());
      if (!over.empty()) CHECK(table.find(over[random.below(over.size())]) == nullptr);
    }
  }
}

}  // namespace
