// Which way bytes go through a pipeline: copied through warm memory, or spliced through a pipe.
// Few bytes are always copied: a splice takes two system calls and one that finds nothing. Of more
// the CPU time of both ways is measured here, by size, and the cheaper one is taken.
#pragma once

#include <cstdint>

#include "core/base/clock.h"

namespace ringpoll {

enum class PipeWay : uint8_t { kAuto, kSplice, kCopy };

class PipeChoice {
 public:
  // Bursts of fewer bytes are copied.
  static constexpr uint32_t kSplicedBytesMin = 32 * 1024;
  // Measured of each way before they are compared, and the span of the running average.
  static constexpr uint32_t kSamples = 8;
  // One burst in so many is measured, and one of so many measured goes the dearer way, to see
  // whether it still is.
  static constexpr uint32_t kBurstsPerSample = 8;
  static constexpr uint32_t kSamplesPerTrial = 32;

  struct Burst {
    bool spliced = false;
    uint64_t startNs = 0;  // 0: it is not measured
  };

  explicit PipeChoice(LoopClock* clock) : clock_(clock) {}

  // A burst begins, of about `bytes` if it is like those before.
  Burst begin(uint64_t bytes) {
    Burst burst;
    if (bytes < kSplicedBytesMin) return burst;
    const Costs& costs = costs_[classOf(bytes)];
    const bool learning = costs.samples[0] < kSamples || costs.samples[1] < kSamples;
    const bool measured = learning || ++bursts_ % kBurstsPerSample == 0;
    burst.spliced = learning ? costs.samples[1] <= costs.samples[0] : cheaperSpliced(costs);
    if (measured && !learning && ++trials_ % kSamplesPerTrial == 0) burst.spliced = !burst.spliced;
    if (measured) burst.startNs = threadCpuNs(clock_);
    return burst;
  }
  void end(const Burst& burst, uint64_t bytes) {
    if (burst.startNs == 0 || bytes < kSplicedBytesMin) return;
    const auto ns = static_cast<double>(threadCpuNs(clock_) - burst.startNs);
    Costs& costs = costs_[classOf(bytes)];
    const int way = burst.spliced ? 1 : 0;
    const double perByte = ns / static_cast<double>(bytes);
    const uint32_t count = ++costs.samples[way];
    costs.nsPerByte[way] +=
        (perByte - costs.nsPerByte[way]) / (count < kSamples ? count : kSamples);
  }

 private:
  struct Costs {
    double nsPerByte[2] = {};  // copied, spliced
    uint32_t samples[2] = {};
  };

  static constexpr uint32_t kClasses = 3;
  static uint32_t classOf(uint64_t bytes) {
    return bytes < 2 * kSplicedBytesMin ? 0 : bytes < 8 * kSplicedBytesMin ? 1 : 2;
  }
  static bool cheaperSpliced(const Costs& costs) { return costs.nsPerByte[1] < costs.nsPerByte[0]; }

  LoopClock* clock_;
  Costs costs_[kClasses];
  uint32_t bursts_ = 0;
  uint32_t trials_ = 0;
};

}  // namespace ringpoll
