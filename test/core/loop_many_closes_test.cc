// What the close of one connection costs beside few and beside many others.
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <vector>

#include "real_fixture.h"

namespace {

using namespace test;

constexpr uint32_t kFew = 150;
constexpr uint32_t kMany = 30 * kFew;
constexpr uint32_t kClosed = 30;  // in each round
constexpr int kRounds = 5;

double cpuMicroseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

// Both ends of each connection are in this process.
bool descriptorsFor(uint32_t connections) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t wanted = 2 * connections + 100;
  if (limit.rlim_cur >= wanted) return true;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted;
}

class Crowd {
 public:
  explicit Crowd(Real& real) : real_(real) {
    real_.js->handler = [this](const Event& event) {
      if (event.kind == EventKind::kOpen) names_.push_back(event.name);
      if (event.kind == EventKind::kClose) ++closed_;
    };
  }

  bool growTo(uint32_t connections) {
    while (names_.size() < connections) {
      const size_t before = names_.size();
      for (int i = 0; i < 50; ++i) peers_.emplace_back(real_.port);
      if (!real_.until([&] { return names_.size() >= before + 50; })) return false;
    }
    return true;
  }

  // The least CPU time of several rounds, in microseconds for one connection.
  double closingCosts() {
    double least = 1e9;
    for (int round = 0; round < kRounds; ++round) {
      const uint32_t expected = closed_ + kClosed;
      for (uint32_t i = 0; i < kClosed; ++i) {
        real_.js->command(CommandKind::kDestroy, names_.back());
        names_.pop_back();
      }
      const double before = cpuMicroseconds();
      while (closed_ < expected) real_.js->turn();
      least = std::min(least, (cpuMicroseconds() - before) / kClosed);
    }
    return least;
  }

 private:
  Real& real_;
  std::vector<Peer> peers_;
  std::vector<Name> names_;
  uint32_t closed_ = 0;
};

EACH_ENGINE(loop_closes_a_connection_beside_many_at_the_price_of_few) {
  if (!descriptorsFor(kMany + kRounds * kClosed)) SKIP("too few descriptors are allowed");
  Real real(engine);
  START_OR_SKIP(real);
  real.listen();
  Crowd crowd(real);
  CHECK(crowd.growTo(kFew + kRounds * kClosed));
  const double besideFew = crowd.closingCosts();
  CHECK(crowd.growTo(kMany + kRounds * kClosed));
  const double besideMany = crowd.closingCosts();
  if (besideMany >= 2.5 * besideFew) {
    std::printf("one close: %.1f us beside %u, %.1f us beside %u\n", besideFew, kFew, besideMany,
                kMany);
  }
  CHECK(besideMany < 2.5 * besideFew);
}

}  // namespace
