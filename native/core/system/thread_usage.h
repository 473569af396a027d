// What the kernel did for this thread so far.
#pragma once

#include <cstdint>

namespace ringpoll {

struct ThreadUsage {
  uint64_t minorFaults = 0;  // pages that came from memory
  uint64_t majorFaults = 0;  // pages that came from the disk
  uint64_t kernelNs = 0;     // time in system calls and faults
};

// All 0 where the system does not say.
ThreadUsage threadUsage();

}  // namespace ringpoll
