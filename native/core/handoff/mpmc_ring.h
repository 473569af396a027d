// A bounded queue without locks for many producers and many consumers: each cell carries the number
// of the round in which it may be written or read next (D. Vyukov's design).
//
//   cell i:  sequence == position       empty, to be written by the producer that gets `position`
//            sequence == position + 1   full, to be read by the consumer that gets `position`
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ringpoll {

template <typename T, uint32_t kCapacity>
class MpmcRing {
  static_assert((kCapacity & (kCapacity - 1)) == 0 && kCapacity >= 2, "a power of two");

 public:
  MpmcRing() {
    for (uint32_t i = 0; i < kCapacity; ++i) {
      cells_[i].sequence.store(i, std::memory_order_relaxed);
    }
  }
  MpmcRing(const MpmcRing&) = delete;
  MpmcRing& operator=(const MpmcRing&) = delete;

  // False: it is full.
  bool push(T value) {
    uint32_t position = tail_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[position & (kCapacity - 1)];
      const uint32_t sequence = cell.sequence.load(std::memory_order_acquire);
      const auto ahead = static_cast<int32_t>(sequence - position);
      if (ahead < 0) return false;
      if (ahead > 0) {
        position = tail_.load(std::memory_order_relaxed);
        continue;
      }
      // On failure `position` is the present one.
      if (!tail_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) continue;
      cell.value = value;
      cell.sequence.store(position + 1, std::memory_order_release);
      return true;
    }
  }

  // False: it is empty.
  bool pop(T* value) {
    uint32_t position = head_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[position & (kCapacity - 1)];
      const uint32_t sequence = cell.sequence.load(std::memory_order_acquire);
      const auto ahead = static_cast<int32_t>(sequence - (position + 1));
      if (ahead < 0) return false;
      if (ahead > 0) {
        position = head_.load(std::memory_order_relaxed);
        continue;
      }
      if (!head_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) continue;
      *value = cell.value;
      cell.sequence.store(position + kCapacity, std::memory_order_release);
      return true;
    }
  }

  // A value of the past, as soon as another thread uses the ring.
  uint32_t size() const {
    const uint32_t head = head_.load(std::memory_order_relaxed);
    const uint32_t tail = tail_.load(std::memory_order_relaxed);
    const auto held = static_cast<int32_t>(tail - head);
    return held > 0 ? static_cast<uint32_t>(held) : 0;
  }
  bool empty() const { return size() == 0; }
  bool full() const { return size() >= kCapacity; }

 private:
  static constexpr size_t kCacheLineBytes = 64;
  struct Cell {
    std::atomic<uint32_t> sequence;
    T value;
  };
  alignas(kCacheLineBytes) std::atomic<uint32_t> tail_{0};
  alignas(kCacheLineBytes) std::atomic<uint32_t> head_{0};
  alignas(kCacheLineBytes) Cell cells_[kCapacity];
};

}  // namespace ringpoll
