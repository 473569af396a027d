// Where the time of the thread goes, in memory that JavaScript reads without a call. It exists only
// while somebody measures; lib/runtime/turn_meter.ts has the same words.
//
//   begins()   sleeps()   wakes()     delivers()     delivered()   flushed()          begins()
//      | sending   | waiting  | receiving  |  JavaScript  |   sending   | host: libuv, its  |
//      |           |          |            |              |             | callbacks, timers |
//
// A request that is answered in the turn in which it came took from wakes() to flushed():
// JavaScript sets kCounted when it has counted one, and finds the end of that turn afterwards.
#pragma once

#include <cstdint>

#include "core/base/layer_clock.h"
#include "core/base/log_buckets.h"
#include "core/system/thread_usage.h"
#include "flight_ring.h"

namespace ringpoll {

// Nanoseconds of the monotonic clock, sums of them, and counts.
enum MeterWord : uint32_t {
  kCounted = 0,    // 1: this turn's end is wanted; 2: it is known
  kTurnStart = 1,  // when the wait of this turn ended
  kTurnEnd = 2,    // when all of the turn was sent in which kCounted was set
  kWalking = 3,    // 1: JavaScript walks the events of the turn
  kMeteredTurns = 4,
  kMeteredEvents = 5,
  kWaitedNs = 6,
  kReceivedNs = 7,
  kWalkedNs = 8,
  kSentNs = 9,
  kHostNs = 10,
  kMeterSums = 16,
};

// Behind the sums stand two histograms in nanoseconds: how long the loop took from one wait to the
// next, and how long each event waited for JavaScript.
inline constexpr uint32_t kBusyBuckets = kMeterSums;
inline constexpr uint32_t kDelayBuckets = kBusyBuckets + kLogBuckets;
inline constexpr uint32_t kLayerBase = kDelayBuckets + kLogBuckets;  // see layer_clock.h
inline constexpr uint32_t kMeterWords = kLayerBase + kLayerWords;

// Rows of the ring of turns. The first row is not one: its first word counts the rows written.
enum TurnRowWord : uint32_t {
  kRowStart = 0,   // the wait ended
  kRowReady = 1,   // JavaScript was called; 0: it was not
  kRowWalked = 2,  // it returned
  kRowEnd = 3,     // all was sent
  kRowEvents = 4,
  kRowWaited = 5,  // nanoseconds of the wait before
  // What the kernel did for the thread in the turn: see ThreadUsage.
  kRowMinorFaults = 6,
  kRowMajorFaults = 7,
  kRowKernelNs = 8,
  kTurnRowWords = 9,
};

class TurnMeter {
 public:
  using Clock = uint64_t (*)();

  TurnMeter(double* words, Clock nowNs) : words_(words), nowNs_(nowNs), mark_(now()) {}

  // From now on turns are written into `rows` rows at `ring`, the oldest making room. 0: nowhere.
  void record(double* ring, uint32_t rows) {
    ring_ = ring;
    rows_ = rows;
    usage_ = threadUsage();
  }

  // The same into a file; null: not any more.
  void setFlight(FlightRing* flight) { flight_ = flight; }

  // The time of layers is given to it in this turn; null: this turn is not measured so.
  void setLayers(LayerClock* layers) { layers_ = layers; }

  // Of all waits so far.
  double waitedNs() const { return words_[kWaitedNs]; }

  // Left out when nothing is to be sent before the wait.
  void begins() {
    lap(kHostNs);
    begun_ = true;
    enter(FlightPhase::kSending);
  }
  void sleeps() {
    lap(begun_ ? kSentNs : kHostNs);
    begun_ = false;
    enter(FlightPhase::kWaiting);
    if (layers_ != nullptr) layers_->pause();
    if (woke_ > 0) ++words_[kBusyBuckets + bucketOf(static_cast<uint64_t>(mark_ - woke_))];
  }
  void wakes() {
    waited_ = lap(kWaitedNs);
    enter(FlightPhase::kReceiving);
    if (layers_ != nullptr) layers_->start(Layer::kLoop);
    woke_ = words_[kTurnStart] = mark_;
    ++words_[kMeteredTurns];
    row_ = {};
    if (rows_ > 0) usage_ = threadUsage();
  }
  void delivers(uint32_t events) {
    lap(kReceivedNs);
    enter(FlightPhase::kJavaScript);
    const auto delay = static_cast<uint64_t>(mark_ - woke_);
    words_[kDelayBuckets + bucketOf(delay)] += events;
    words_[kMeteredEvents] += events;
    words_[kWalking] = 1;
    if (row_.ready == 0) row_.ready = mark_;
    if (layers_ != nullptr) layers_->enter(Layer::kDispatch);
    row_.events += events;
  }
  void delivered() {
    lap(kWalkedNs);
    enter(FlightPhase::kSending);
    words_[kWalking] = 0;
    row_.walked = mark_;
    if (layers_ != nullptr) layers_->enter(Layer::kLoop);
  }
  // The turn is over; without events all of it was receiving.
  void flushed() {
    lap(row_.events > 0 ? kSentNs : kReceivedNs);
    if (words_[kCounted] == 1) {
      words_[kTurnEnd] = mark_;
      words_[kCounted] = 2;
    }
    if (rows_ > 0 && woke_ > 0) writeRow();
    if (flight_ != nullptr) writeFlight();
    enter(FlightPhase::kHost);
    if (layers_ != nullptr) layers_->enter(Layer::kHost);
  }

 private:
  struct Row {
    double ready = 0;
    double walked = 0;
    double events = 0;
  };

  double now() const { return static_cast<double>(nowNs_()); }
  double lap(uint32_t word) {
    const double before = mark_;
    mark_ = now();
    words_[word] += mark_ - before;
    return mark_ - before;
  }
  void enter(FlightPhase phase) {
    if (flight_ != nullptr) flight_->phase(phase, static_cast<uint64_t>(mark_));
  }
  void writeFlight() {
    if (woke_ == 0) return;
    const auto ns = [](double value) { return static_cast<uint64_t>(value); };
    flight_->write({.start = ns(woke_),
                    .ready = ns(row_.ready),
                    .walked = ns(row_.walked),
                    .end = ns(mark_),
                    .waited = ns(waited_),
                    .events = ns(row_.events)});
  }
  void writeRow() {
    const auto written = static_cast<uint64_t>(ring_[0]);
    double* row = ring_ + (1 + written % rows_) * kTurnRowWords;
    row[kRowStart] = woke_;
    row[kRowReady] = row_.ready;
    row[kRowWalked] = row_.walked;
    row[kRowEnd] = mark_;
    row[kRowEvents] = row_.events;
    row[kRowWaited] = waited_;
    const ThreadUsage now = threadUsage();
    row[kRowMinorFaults] = static_cast<double>(now.minorFaults - usage_.minorFaults);
    row[kRowMajorFaults] = static_cast<double>(now.majorFaults - usage_.majorFaults);
    row[kRowKernelNs] = static_cast<double>(now.kernelNs - usage_.kernelNs);
    ring_[0] = static_cast<double>(written + 1);
  }

  double* const words_;
  const Clock nowNs_;
  double mark_;      // the end of the last lap
  double woke_ = 0;  // 0: no wait has ended yet
  double waited_ = 0;
  bool begun_ = false;
  Row row_;
  ThreadUsage usage_;  // when the turn began, while turns are recorded
  LayerClock* layers_ = nullptr;
  double* ring_ = nullptr;
  uint32_t rows_ = 0;
  FlightRing* flight_ = nullptr;
};

}  // namespace ringpoll
