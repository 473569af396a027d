// Runs every TEST, or those whose name contains the text behind --filter, and prints
// `N passed, N failed, N skipped`. Exits with 1 if a test failed or none ran. Tests that take
// longer than SLOW_SECONDS are named with their seconds.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include "check.h"

namespace check {
namespace {

struct Test {
  const char* name;
  Function function;
};

// Built on first use: registrations in other files run before anything in this one.
std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

constexpr double SLOW_SECONDS = 1;

const char* runningTest = "";
int failuresOfRunningTest = 0;
bool runningTestSkipped = false;

}  // namespace

Registration::Registration(const char* name, Function function) {
  tests().push_back({name, function});
}

void fail(const char* file, int line, const std::string& what) {
  failuresOfRunningTest++;
  std::printf("FAIL %s\n  %s:%d: %s\n", runningTest, file, line, what.c_str());
}

void skip(const std::string& reason) {
  runningTestSkipped = true;
  std::printf("skip %s: %s\n", runningTest, reason.c_str());
}

}  // namespace check

int main(int argc, char** argv) {
  const char* filter = "";
  for (int i = 1; i < argc; i++) {
    if (std::strncmp(argv[i], "--filter=", 9) == 0) {
      filter = argv[i] + 9;
    } else if (std::strcmp(argv[i], "--filter") == 0 && i + 1 < argc) {
      filter = argv[++i];
    } else {
      std::fprintf(stderr, "usage: %s [--filter TEXT]\n", argv[0]);
      return 2;
    }
  }
  int passed = 0;
  int failed = 0;
  int skipped = 0;
  for (const check::Test& test : check::tests()) {
    if (std::strstr(test.name, filter) == nullptr) continue;
    check::runningTest = test.name;
    check::failuresOfRunningTest = 0;
    check::runningTestSkipped = false;
    const auto start = std::chrono::steady_clock::now();
    test.function();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (took.count() > check::SLOW_SECONDS)
      std::printf("slow %s: %.1f s\n", test.name, took.count());
    if (check::failuresOfRunningTest > 0) {
      failed++;
    } else {
      (check::runningTestSkipped ? skipped : passed)++;
    }
    std::fflush(stdout);
  }
  std::printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
  return failed > 0 || passed + skipped == 0 ? 1 : 0;
}
