// Turns and their layers, on a clock that goes on by itself: each look is a microsecond later.
#include "check.h"
#include "core/loop/turn_meter.h"

namespace {

using namespace ringpoll;

uint64_t clockNs = 0;
uint64_t tick() { return clockNs += 1000; }

struct Measured {
  double words[kMeterWords] = {};
  double* layers = words + kLayerBase;
  TurnMeter meter{words, tick};
  LayerClock clock{layers, tick};

  double layer(Layer which) const { return layers[kLayerNs + static_cast<uint32_t>(which)]; }
  double laps(Layer which) const { return layers[kLayerLaps + static_cast<uint32_t>(which)]; }
  // One turn, with a receive and a send, in which `events` events are delivered.
  void turn(uint32_t events) {
    meter.begins();
    meter.sleeps();
    meter.wakes();
    {
      const LayerScope parse(&clock, Layer::kParse);
      const LayerScope read(&clock, Layer::kRead);
    }
    if (events > 0) {
      meter.delivers(events);
      meter.delivered();
    }
    meter.flushed();
  }
};

TEST(layers_are_the_whole_of_a_turn_without_its_wait) {
  Measured measured;
  measured.meter.setLayers(&measured.clock);
  measured.clock.start(Layer::kHost);
  const uint64_t from = clockNs;
  for (int i = 0; i < 10; ++i) measured.turn(3);
  measured.clock.pause();
  double sum = 0;
  for (uint32_t i = 0; i < kLayerCount; ++i) sum += measured.layers[kLayerNs + i];
  const double waits = 10 * 1000 + 10 * 1000;  // from pause() to start(), and a look of each
  CHECK(sum <= static_cast<double>(clockNs - from));
  CHECK(sum >= static_cast<double>(clockNs - from) - 2 * waits);
  CHECK_EQ(measured.laps(Layer::kRead), 10);
  CHECK(measured.layer(Layer::kRead) > 0 && measured.layer(Layer::kParse) > 0);
  CHECK(measured.layer(Layer::kDispatch) > 0 && measured.layer(Layer::kHost) > 0);
  CHECK_EQ(measured.layer(Layer::kTls), 0);
}

TEST(a_scope_gives_the_time_back_to_the_layer_around_it) {
  double words[kLayerWords] = {};
  LayerClock clock(words, tick);
  clock.start(Layer::kLoop);
  {
    const LayerScope outer(&clock, Layer::kSerialise);
    { const LayerScope inner(&clock, Layer::kWrite); }
    { const LayerScope nothing(nullptr, Layer::kAccept); }
  }
  clock.pause();
  CHECK_EQ(words[kLayerNs + static_cast<uint32_t>(Layer::kWrite)], 1000);
  CHECK_EQ(words[kLayerNs + static_cast<uint32_t>(Layer::kSerialise)], 2000);
  CHECK_EQ(words[kLayerNs + static_cast<uint32_t>(Layer::kLoop)], 2000);
  CHECK_EQ(words[kLayerNs + static_cast<uint32_t>(Layer::kAccept)], 0);
}

TEST(a_turn_that_counts_finds_its_end) {
  Measured measured;
  measured.turn(1);
  CHECK_EQ(measured.words[kCounted], 0);
  measured.meter.begins();
  measured.meter.sleeps();
  measured.meter.wakes();
  const double start = measured.words[kTurnStart];
  measured.meter.delivers(2);
  CHECK_EQ(measured.words[kWalking], 1);
  measured.words[kCounted] = 1;
  measured.meter.delivered();
  measured.meter.flushed();
  CHECK_EQ(measured.words[kCounted], 2);
  CHECK_EQ(measured.words[kWalking], 0);
  CHECK_EQ(measured.words[kTurnEnd] - start, 3000);
  const double end = measured.words[kTurnEnd];
  measured.turn(1);
  CHECK_EQ(measured.words[kTurnEnd], end);
}

TEST(a_ring_of_turns_keeps_the_last_ones_in_order) {
  Measured measured;
  constexpr uint32_t kRows = 4;
  double ring[(kRows + 1) * kTurnRowWords] = {};
  measured.meter.record(ring, kRows);
  for (uint32_t i = 1; i <= 10; ++i) measured.turn(i % 2 == 0 ? i : 0);
  CHECK_EQ(ring[0], 10);
  double before = 0;
  for (uint32_t turn = 6; turn < 10; ++turn) {
    const double* row = ring + (1 + turn % kRows) * kTurnRowWords;
    CHECK(row[kRowStart] > before);
    CHECK(row[kRowEnd] > row[kRowStart]);
    CHECK_EQ(row[kRowEvents], (turn + 1) % 2 == 0 ? turn + 1 : 0);
    CHECK((row[kRowReady] > 0) == (row[kRowEvents] > 0));
    before = row[kRowStart];
  }
}

TEST(buckets_of_delays_count_each_event) {
  Measured measured;
  measured.turn(5);
  measured.turn(0);
  measured.turn(7);
  double delays = 0;
  double busy = 0;
  for (uint32_t i = 0; i < kLogBuckets; ++i) {
    delays += measured.words[kDelayBuckets + i];
    busy += measured.words[kBusyBuckets + i];
  }
  CHECK_EQ(delays, 12);
  CHECK_EQ(busy, 2);  // the third turn goes on
  CHECK_EQ(measured.words[kMeteredEvents], 12);
}

}  // namespace
