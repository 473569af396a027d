#include "core/base/lock_waits.h"

#include <thread>

#include "check.h"

namespace {

using namespace ringpoll;

uint64_t countOf(SharedLock which) { return lockWaits[static_cast<uint32_t>(which)].count; }
uint64_t nsOf(SharedLock which) { return lockWaits[static_cast<uint32_t>(which)].ns; }

TEST(a_mutex_that_is_free_counts_no_wait) {
  std::mutex mutex;
  const uint64_t before = countOf(SharedLock::kTicketKeys);
  { const CountedLock lock(mutex, SharedLock::kTicketKeys); }
  { const CountedLock lock(mutex, SharedLock::kTicketKeys); }
  CHECK_EQ(countOf(SharedLock::kTicketKeys), before);
}

TEST(who_waits_for_a_mutex_is_counted_with_the_time) {
  constexpr SharedLock kWhich = SharedLock::kCertificates;
  const uint64_t before = countOf(kWhich);
  const uint64_t nsBefore = nsOf(kWhich);
  std::mutex mutex;
  std::atomic<bool> asks{false};
  mutex.lock();
  std::thread other([&] {
    lockCounted(
        kWhich, [&] { return mutex.try_lock(); },
        [&] {
          asks = true;
          mutex.lock();
        });
    mutex.unlock();
  });
  while (!asks) std::this_thread::yield();
  mutex.unlock();
  other.join();
  CHECK_EQ(countOf(kWhich), before + 1);
  CHECK(nsOf(kWhich) > nsBefore);
  CHECK(mutex.try_lock());
  mutex.unlock();
}

}  // namespace
