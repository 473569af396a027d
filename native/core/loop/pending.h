// The bytes that wait on each connection, by slot. JavaScript reads them, and adds what it writes:
// see kPendingHeld and kPendingOver for what else the word says.
#pragma once

#include <algorithm>

#include "loop_state.h"

namespace ringpoll {

class Pending {
 public:
  explicit Pending(LoopHost& host) : host_(host) {}

  // Room for so many slots. False: no memory.
  bool reserve(uint32_t slots) {
    if (slots <= slots_) return true;
    // Doubled, so that JavaScript's collector is not fed an array for every page of channels.
    const uint32_t wanted = std::max(slots, 2 * slots_);
    double* grown = host_.growPending(wanted);
    if (grown == nullptr) return false;
    words_ = grown;
    slots_ = wanted;
    return true;
  }
  double& operator[](uint32_t slot) { return words_[slot]; }
  double operator[](uint32_t slot) const { return words_[slot]; }
  // What JavaScript counted will not leave: its connection is over already.
  void forget(uint32_t slot, double bytes) {
    if (slot < slots_) words_[slot] -= bytes;
  }

 private:
  LoopHost& host_;
  double* words_ = nullptr;
  uint32_t slots_ = 0;
};

}  // namespace ringpoll
