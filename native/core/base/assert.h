// Assertions that stay on in every build: a broken invariant here would hand freed memory to
// JavaScript, so stopping is the safe answer. They guard endpoint transitions, not user input.
#pragma once

namespace ringpoll {
[[noreturn]] void assertionFailed(const char* condition, const char* file, int line);
}  // namespace ringpoll

#define RP_ASSERT(condition)          \
  (__builtin_expect(!!(condition), 1) \
       ? (void)0                      \
       : ::ringpoll::assertionFailed(#condition, __FILE__, __LINE__))
