// Microbenchmarks of the core, for `ringpoll bench`: what each part costs on this machine.
//
// A case runs a number of operations and says how long all of them took. Calibration, rounds and
// statistics are the caller's. Nothing of this runs unless it is asked for. No case waits without
// limit, for a thread, a descriptor or a completion: one that stands still says so.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace ringpoll::bench {

// Threads come from whoever embeds the core: the C library's own ask for a newer one than Node.
struct Threads {
  void* (*start)(void (*run)(void*), void* argument);  // nullptr: there is none to be had
  void (*join)(void* thread);
};

struct Sample {
  double elapsedNs = 0;
  uint64_t bytes = 0;   // worked on in all; 0 where that says nothing
  std::string refused;  // why there is no measurement; empty: there is one
  bool failed = false;  // it could run here, and did not come to its end
};

// The case cannot run on this machine.
inline Sample refuse(std::string reason) { return {0, 0, std::move(reason)}; }

// The case can run here, and something went wrong.
inline Sample fail(std::string reason) { return {0, 0, std::move(reason), true}; }

// What takes longer than this does not come any more, however busy the machine is. Tests, which let
// things stand still, have less patience.
inline int standstillMs = 5000;

inline Sample standstill(const char* what) {
  return fail(std::string(what) + " did not come within " + std::to_string(standstillMs) + " ms");
}

struct Case {
  const char* group;
  const char* name;
  Sample (*run)(uint32_t operations, const Threads& threads);
};

// All cases of this system, in the order in which a report shows them.
const std::vector<Case>& cases();

class Stopwatch {
 public:
  double elapsedNs() const {
    const auto passed = std::chrono::steady_clock::now() - start_;
    return static_cast<double>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(passed).count());
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Asks the clock: for waits that have already been interrupted, not for what is measured.
class Deadline {
 public:
  int leftMs() const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end_ - std::chrono::steady_clock::now());
    return left.count() > 0 ? static_cast<int>(left.count()) : 0;
  }
  bool over() const { return leftMs() == 0; }

 private:
  std::chrono::steady_clock::time_point end_ =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(standstillMs);
};

// Keeps the compiler from leaving out work whose result nobody reads.
template <typename T>
inline void keep(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

}  // namespace ringpoll::bench
