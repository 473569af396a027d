#include "affinity.h"

#include <cerrno>

#ifdef __linux__
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace ringpoll {

#ifdef __linux__

namespace {
// More than CPU_SETSIZE has, which is 1,024: the largest machines have more.
constexpr size_t kCpusMax = 8192;
constexpr size_t kWordBits = sizeof(unsigned long) * 8;
constexpr size_t kWords = kCpusMax / kWordBits;
}  // namespace

int pinThread(const uint32_t* cpus, size_t count) {
  unsigned long mask[kWords] = {};
  for (size_t i = 0; i < count; ++i) {
    if (cpus[i] >= kCpusMax) return -EINVAL;
    mask[cpus[i] / kWordBits] |= 1UL << (cpus[i] % kWordBits);
  }
  const int result = ::sched_setaffinity(0, sizeof mask, reinterpret_cast<cpu_set_t*>(mask));
  return result == 0 ? 0 : -errno;
}

std::vector<uint32_t> threadCpus() {
  unsigned long mask[kWords] = {};
  std::vector<uint32_t> cpus;
  if (::sched_getaffinity(0, sizeof mask, reinterpret_cast<cpu_set_t*>(mask)) != 0) return cpus;
  for (uint32_t cpu = 0; cpu < kCpusMax; ++cpu) {
    if ((mask[cpu / kWordBits] >> (cpu % kWordBits) & 1) != 0) cpus.push_back(cpu);
  }
  return cpus;
}

int threadId() { return static_cast<int>(::syscall(SYS_gettid)); }

#else

int pinThread(const uint32_t*, size_t) { return -ENOSYS; }
std::vector<uint32_t> threadCpus() { return {}; }
int threadId() { return 0; }

#endif

}  // namespace ringpoll
