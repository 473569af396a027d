#include "kept_memory.h"

#include <atomic>
#include <cstdlib>

namespace ringpoll {

namespace {
// Below 32 MB, beyond which glibc learns nothing.
constexpr size_t kLargestKeptBytes = 31 * 1024 * 1024;
}  // namespace

// glibc gives the end of its heap back to the kernel when more than M_TRIM_THRESHOLD bytes of it
// are free, 128 KB at first: each 4 KB of the next buffer is a page fault then. It learns from what
// a program frees: whoever has freed a block that was a mapping of its own will get such blocks
// from the heap, and twice as much of it is kept. So one such block does what mallopt() would, and
// leaves glibc to learn more. The block is not touched.
void keepFreedMemory() {
#ifdef __GLIBC__
  static std::atomic_flag done = ATOMIC_FLAG_INIT;
  if (done.test_and_set()) return;
  void* volatile block = std::malloc(kLargestKeptBytes);
  std::free(block);
#endif
}

}  // namespace ringpoll
