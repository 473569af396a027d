#include "core/base/lock_waits.h"

#include <thread>

#include "check.h"

namespace {

using namespace ringpoll;

uint64_t countOf(SharedLock which) { return lockWaits[static_cast<uint32_t>(which)].count; }
uint64_t nsOf(SharedLock which) { return lockWaits[static_cast<uint32_t>(which)].ns; }

TEST(a_mutex_that_is_free_counts_no_wait) {
  CountedMutex mutex(SharedLock::kTicketKeys);
  const uint64_t before = countOf(SharedLock::kTicketKeys);
  { const std::lock_guard lock(mutex); }
  { const std::lock_guard lock(mutex); }
  CHECK_EQ(countOf(SharedLock::kTicketKeys), before);
}

TEST(who_waits_for_a_mutex_is_counted_with_the_time) {
  constexpr SharedLock kWhich = SharedLock::kCertificates;
  const uint64_t before = countOf(kWhich);
  const uint64_t nsBefore = nsOf(kWhich);
  CountedMutex mutex(kWhich);
  // Many threads that hold it for long, until one has had to wait.
  std::atomic<bool> over{false};
  const auto compete = [&] {
    while (!over) {
      const std::lock_guard lock(mutex);
      for (int i = 0; i < 100; ++i) std::this_thread::yield();
      if (countOf(kWhich) > before) over = true;
    }
  };
  std::thread one(compete);
  std::thread two(compete);
  one.join();
  two.join();
  CHECK(countOf(kWhich) > before);
  CHECK(nsOf(kWhich) > nsBefore);
}

}  // namespace
