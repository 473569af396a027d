// How often threads have waited for a mutex that they share, and how long: of the whole process.
// Whoever gets it at once pays nothing for being counted.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "core/base/clock.h"

namespace ringpoll {

// In the order of SHARED_LOCKS in lib/admin/lock_waits.ts.
enum class SharedLock : uint32_t {
  kTicketKeys,    // of TLS sessions: all threads that serve with one context
  kCertificates,  // roots that threads trust: they are read once
  kThreadGroups,  // who belongs to which group of loops
  kFileFlushes,   // fsync, between a loop and its helpers
  kCount,
};
inline constexpr auto kSharedLocks = static_cast<uint32_t>(SharedLock::kCount);

struct LockWaits {
  std::atomic<uint64_t> count{0};
  std::atomic<uint64_t> ns{0};
};
inline std::array<LockWaits, kSharedLocks> lockWaits;

// `tryLock` and `lock` take the mutex.
template <typename TryLock, typename Lock>
void lockCounted(SharedLock which, TryLock&& tryLock, Lock&& lock) {
  if (tryLock()) return;
  const uint64_t from = monotonicNs();
  lock();
  LockWaits& waits = lockWaits[static_cast<uint32_t>(which)];
  waits.count.fetch_add(1, std::memory_order_relaxed);
  waits.ns.fetch_add(monotonicNs() - from, std::memory_order_relaxed);
}

// For std::lock_guard. It does not try to lock: older C libraries have that elsewhere.
class CountedMutex {
 public:
  explicit CountedMutex(SharedLock which) : which_(which) {}
  void lock() {
    const bool isFree = users_.fetch_add(1, std::memory_order_relaxed) == 0;
    if (isFree) {
      mutex_.lock();
    } else {
      lockCounted(
          which_, [] { return false; }, [this] { mutex_.lock(); });
    }
  }
  void unlock() {
    mutex_.unlock();
    users_.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  std::mutex mutex_;
  std::atomic<uint32_t> users_{0};  // whoever has it, and whoever waits for it
  const SharedLock which_;
};

}  // namespace ringpoll
