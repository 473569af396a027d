// Slabs from the heap: arenas without JavaScript.
#pragma once

#include <memory>
#include <vector>

#include "core/memory/arena.h"

namespace ringpoll::bench {

class HeapSlabs : public SlabSource {
 public:
  uint8_t* allocateSlab(uint32_t index, uint32_t bytes) override {
    if (slabs_.size() <= index) slabs_.resize(index + 1);
    slabs_[index].reset(new uint8_t[bytes]());
    return slabs_[index].get();
  }
  void releaseSlab(uint32_t index) override { slabs_[index].reset(); }

 private:
  std::vector<std::unique_ptr<uint8_t[]>> slabs_;
};

}  // namespace ringpoll::bench
