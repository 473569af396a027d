// The event ring: records in order, also when it is full or JavaScript is walking it.
#include "core/rings/event_writer.h"

#include <vector>

#include "check.h"

namespace {

using namespace ringpoll;

struct Bench {
  std::vector<int32_t> control = std::vector<int32_t>(kControlWords);
  std::vector<int32_t> records = std::vector<int32_t>(kEventCapacity * kRecordWords);
  EventWriter writer{{control.data(), records.data(), nullptr}};
  Channel channel;

  void push(int32_t number) { writer.push(EventKind::kData, channel, number); }
  int32_t result(uint32_t i) const { return records[i * kRecordWords + 3]; }
  // Delivers once and appends the numbers; false when nothing was there.
  bool deliver(std::vector<int32_t>* into) {
    const uint32_t count = writer.beginDelivery();
    for (uint32_t i = 0; i < count; ++i) into->push_back(result(i));
    writer.endDelivery();
    return count > 0;
  }
};

TEST(event_writer_lays_out_the_words_that_javascript_reads) {
  Bench bench;
  bench.channel.slot = 5;
  bench.channel.generation = 6;
  bench.channel.endpoint = 7;
  CHECK(bench.writer.empty());
  bench.writer.push(EventKind::kClose, bench.channel, -11, 12, 13, 14);
  CHECK(!bench.writer.empty());
  CHECK_EQ(bench.writer.beginDelivery(), 1u);
  CHECK_EQ(bench.control[kEventCount], 1);
  const int32_t expected[] = {static_cast<int32_t>(EventKind::kClose), 5, 6, -11, 13, 14, 12, 7};
  for (uint32_t i = 0; i < kRecordWords; ++i) CHECK_EQ(bench.records[i], expected[i]);
  bench.writer.endDelivery();
  CHECK_EQ(bench.control[kEventCount], 0);
  CHECK(bench.writer.empty());
}

TEST(event_writer_keeps_what_does_not_fit_for_the_next_delivery_in_order) {
  Bench bench;
  const int32_t total = static_cast<int32_t>(kEventCapacity) * 2 + 100;
  for (int32_t i = 0; i < total; ++i) bench.push(i);
  bench.writer.endOfTurn();
  std::vector<int32_t> seen;
  CHECK(bench.writer.overflowing());
  CHECK(bench.deliver(&seen));
  CHECK_EQ(seen.size(), kEventCapacity);
  while (bench.writer.overflowing()) CHECK(bench.deliver(&seen));
  CHECK(bench.writer.empty());
  CHECK_EQ(seen.size(), static_cast<size_t>(total));
  for (int32_t i = 0; i < total; ++i) CHECK_EQ(seen[static_cast<size_t>(i)], i);
}

TEST(event_writer_does_not_touch_the_ring_while_javascript_walks_it) {
  Bench bench;
  bench.push(1);
  bench.push(2);
  CHECK_EQ(bench.writer.beginDelivery(), 2u);
  bench.push(3);
  CHECK_EQ(bench.result(0), 1);
  CHECK_EQ(bench.result(1), 2);
  CHECK_EQ(bench.control[kEventCount], 2);
  bench.writer.endDelivery();
  bench.push(4);  // behind the one that waits
  std::vector<int32_t> seen;
  CHECK(bench.deliver(&seen));
  CHECK(seen == std::vector<int32_t>({3, 4}));
  CHECK(bench.writer.empty());
}

TEST(event_writer_leaves_what_comes_during_a_delivery_to_the_next_turn) {
  Bench bench;
  const int32_t total = static_cast<int32_t>(kEventCapacity) + 10;
  for (int32_t i = 0; i < total; ++i) bench.push(i);
  bench.writer.endOfTurn();
  std::vector<int32_t> seen;
  int32_t late = total;
  for (int deliveries = 1; bench.writer.overflowing(); ++deliveries) {
    CHECK(deliveries <= 2);
    const uint32_t count = bench.writer.beginDelivery();
    for (uint32_t i = 0; i < count; ++i) {
      seen.push_back(bench.result(i));
      bench.push(late++);  // an answer to each event would otherwise keep the turn from ending
    }
    bench.writer.endDelivery();
  }
  CHECK(seen.size() >= static_cast<size_t>(total));
  CHECK(!bench.writer.empty());
  bench.writer.endOfTurn();
  do bench.deliver(&seen);
  while (bench.writer.overflowing());
  CHECK_EQ(seen.size(), static_cast<size_t>(late));
  for (int32_t i = 0; i < late; ++i) CHECK_EQ(seen[static_cast<size_t>(i)], i);
}

}  // namespace
