#include "thread_usage.h"

#include <sys/resource.h>

namespace ringpoll {

ThreadUsage threadUsage() {
#ifdef RUSAGE_THREAD
  rusage usage{};
  if (getrusage(RUSAGE_THREAD, &usage) != 0) return {};
  constexpr uint64_t kNsPerS = 1'000'000'000;
  return {.minorFaults = static_cast<uint64_t>(usage.ru_minflt),
          .majorFaults = static_cast<uint64_t>(usage.ru_majflt),
          .kernelNs = static_cast<uint64_t>(usage.ru_stime.tv_sec) * kNsPerS +
                      static_cast<uint64_t>(usage.ru_stime.tv_usec) * 1000};
#else
  return {};
#endif
}

}  // namespace ringpoll
