// Slabs from malloc, each its own allocation, so that AddressSanitizer sees every step outside.
#pragma once

#include <cstdlib>
#include <vector>

#include "core/memory/arena.h"

namespace test {

class MallocSlabs : public ringpoll::SlabSource {
 public:
  ~MallocSlabs() override {
    for (uint8_t* slab : slabs_) std::free(slab);
  }

  uint8_t* allocateSlab(uint32_t index, uint32_t bytes) override {
    if (slabsHeld >= slabsMax) return nullptr;
    if (index >= slabs_.size()) slabs_.resize(index + 1, nullptr);
    slabs_[index] = static_cast<uint8_t*>(std::calloc(1, bytes));
    ++slabsHeld;
    ++slabsEver;
    return slabs_[index];
  }
  void releaseSlab(uint32_t index) override {
    std::free(slabs_[index]);
    slabs_[index] = nullptr;
    --slabsHeld;
  }

  uint8_t* slab(uint32_t index) { return index < slabs_.size() ? slabs_[index] : nullptr; }

  uint32_t slabsMax = UINT32_MAX;  // refuses to hand out more than this
  uint32_t slabsHeld = 0;
  uint32_t slabsEver = 0;

 private:
  std::vector<uint8_t*> slabs_;
};

}  // namespace test
