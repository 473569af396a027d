#include "timer_wheel.h"

#include <bit>

#include "core/base/assert.h"

namespace ringpoll {

TimerWheel::TimerWheel(uint64_t nowMs) : originMs_(nowMs) {
  for (auto& level : buckets_) {
    for (TimerNode& head : level) head.previous = head.next = &head;
  }
  due_.previous = due_.next = &due_;
}

void TimerWheel::arm(TimerNode& node, uint64_t nowMs, uint64_t delayMs) {
  if (node.armed()) unlink(node);
  // Nobody advances an empty wheel, and after months its tick would be too old to compare with.
  if (armedCount_ == 0) current_ = tickOf(nowMs);
  if (delayMs > kDelayMaxMs) delayMs = kDelayMaxMs;
  // Rounded up, so that it is never early.
  node.deadlineTick =
      static_cast<uint32_t>((nowMs - originMs_ + delayMs + kTimerTickMs - 1) / kTimerTickMs);
  if (static_cast<int32_t>(node.deadlineTick - current_) <= 0) node.deadlineTick = current_ + 1;
  place(node);
}

void TimerWheel::cancel(TimerNode& node) {
  if (node.armed()) unlink(node);
}

// A timer `distance` ticks away belongs to the level whose buckets are the widest not above that.
void TimerWheel::place(TimerNode& node) {
  const uint32_t distance = node.deadlineTick - current_;
  if (distance == 0) {
    link(due_, node, kDueBucket);
    return;
  }
  uint32_t level = 0;
  while (level + 1 < kLevels && (distance >> (6 * (level + 1))) != 0) ++level;
  const uint32_t index = (node.deadlineTick >> (6 * level)) % kBuckets;
  link(buckets_[level][index], node, static_cast<uint16_t>(level * kBuckets + index));
  occupied_[level] |= 1ull << index;
}

void TimerWheel::link(TimerNode& head, TimerNode& node, uint16_t bucket) {
  node.previous = head.previous;
  node.next = &head;
  head.previous->next = &node;
  head.previous = &node;
  node.bucket = bucket;
  ++armedCount_;
}

void TimerWheel::unlink(TimerNode& node) {
  RP_ASSERT(node.armed());
  node.previous->next = node.next;
  node.next->previous = node.previous;
  node.previous = node.next = nullptr;
  --armedCount_;
  if (node.bucket == kDueBucket) return;
  const uint32_t level = node.bucket / kBuckets;
  const uint32_t index = node.bucket % kBuckets;
  if (buckets_[level][index].next == &buckets_[level][index]) occupied_[level] &= ~(1ull << index);
}

void TimerWheel::cascade(uint32_t level, uint32_t index) {
  TimerNode& head = buckets_[level][index];
  // A full turn of the top level can put a timer back into this same bucket: take only those that
  // are in it now.
  TimerNode* last = head.previous;
  while (head.next != &head) {
    TimerNode& node = *head.next;
    const bool end = &node == last;
    unlink(node);
    place(node);
    if (end) break;
  }
}

uint32_t TimerWheel::nextTick() const {
  uint32_t best = 0;
  bool found = false;
  for (uint32_t level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    const uint32_t shift = 6 * level;
    const uint32_t position = (current_ >> shift) % kBuckets;
    // The first occupied bucket strictly after the current one, going round.
    const uint64_t rotated = std::rotr(occupied_[level], static_cast<int>((position + 1) % 64));
    const uint32_t steps = static_cast<uint32_t>(std::countr_zero(rotated)) + 1;
    const uint32_t tick = ((current_ >> shift) + steps) << shift;
    if (!found || tick - current_ < best - current_) best = tick;
    found = true;
  }
  return found ? best : current_ + 1;
}

void TimerWheel::step(uint32_t target) {
  const uint32_t next = nextTick();
  if (next - current_ > target - current_) {
    current_ = target;
    return;
  }
  current_ = next;
  for (uint32_t level = kLevels - 1; level > 0; --level) {
    const uint32_t shift = 6 * level;
    if ((current_ & ((1u << shift) - 1)) == 0) cascade(level, (current_ >> shift) % kBuckets);
  }
  TimerNode& head = buckets_[0][current_ % kBuckets];
  while (head.next != &head) {
    TimerNode& node = *head.next;
    unlink(node);
    link(due_, node, kDueBucket);
  }
}

int64_t TimerWheel::untilNextMs(uint64_t nowMs) const {
  if (armedCount_ == 0) return -1;
  // Ticks wrap, so only the distance between two of them means something.
  const auto ticks = static_cast<int32_t>(nextTick() - tickOf(nowMs));
  if (ticks <= 0) return 0;
  return int64_t{ticks} * kTimerTickMs - static_cast<int64_t>((nowMs - originMs_) % kTimerTickMs);
}

}  // namespace ringpoll
