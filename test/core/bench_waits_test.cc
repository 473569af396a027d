// The waits of the microbenchmarks: a signal ends none of them, and none is without limit.
#ifdef __linux__

#include <csignal>

#include <atomic>
#include <mutex>
#include <thread>

#include "bench/bench_cases.h"
#include "check.h"

namespace {

using namespace ringpoll::bench;

constexpr uint32_t kOperations = 4000;
constexpr int kPatienceMs = 50;

void onSignal(int) {}

// The threads of a benchmark, each of which signals hit while they last.
class Disturbed {
 public:
  Disturbed() {
    struct sigaction action {};
    action.sa_handler = onSignal;  // without SA_RESTART: a wait that is hit fails with EINTR
    ::sigaction(SIGUSR1, &action, &before_);
    victim_ = ::pthread_self();
    disturber_ = std::thread([this] { disturb(); });
  }
  ~Disturbed() {
    over_ = true;
    disturber_.join();
    ::sigaction(SIGUSR1, &before_, nullptr);
  }

  static constexpr Threads threads() { return {start, join}; }

 private:
  static void* start(void (*run)(void*), void* argument) {
    auto* thread = new std::thread(run, argument);
    const std::lock_guard lock(mutex_);
    other_ = thread;
    return thread;
  }
  static void join(void* handle) {
    auto* thread = static_cast<std::thread*>(handle);
    {
      const std::lock_guard lock(mutex_);
      other_ = nullptr;
    }
    thread->join();
    delete thread;
  }
  void disturb() {
    while (!over_) {
      ::pthread_kill(victim_, SIGUSR1);
      const std::lock_guard lock(mutex_);
      if (other_ != nullptr) ::pthread_kill(other_->native_handle(), SIGUSR1);
    }
  }

  static inline std::mutex mutex_;
  static inline std::thread* other_ = nullptr;
  struct sigaction before_ {};
  pthread_t victim_;
  std::atomic<bool> over_{false};
  std::thread disturber_;
};

void runDisturbed(Sample (*run)(uint32_t, const Threads&)) {
  const Disturbed disturbed;
  const Sample sample = run(kOperations, Disturbed::threads());
  if (!sample.failed && !sample.refused.empty()) SKIP(sample.refused);
  CHECK_EQ(sample.refused, std::string());
  CHECK(sample.elapsedNs > 0);
}

TEST(bench_of_wake_ups_by_eventfd_lasts_through_signals) { runDisturbed(eventfdWake); }
TEST(bench_of_wake_ups_by_message_lasts_through_signals) { runDisturbed(messageRingWake); }
TEST(bench_of_waiting_lasts_through_signals) { runDisturbed(epollMessage); }
TEST(bench_of_submissions_lasts_through_signals) { runDisturbed(ringNop); }

// A thread that was started, and never comes to run.
constexpr Threads kAsleep{[](void (*)(void*), void* argument) { return argument; }, [](void*) {}};

void runAlone(Sample (*run)(uint32_t, const Threads&)) {
  const int before = standstillMs;
  standstillMs = kPatienceMs;
  const Sample sample = run(kOperations, kAsleep);
  standstillMs = before;
  if (!sample.failed && !sample.refused.empty()) SKIP(sample.refused);
  CHECK(sample.failed);
  CHECK(sample.refused.find("did not come within 50 ms") != std::string::npos);
}

TEST(bench_of_wake_ups_by_eventfd_says_that_it_stands_still) { runAlone(eventfdWake); }
TEST(bench_of_wake_ups_by_message_says_that_it_stands_still) { runAlone(messageRingWake); }

}  // namespace

#endif  // __linux__
