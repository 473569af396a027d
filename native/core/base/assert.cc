#include "assert.h"

#include <cstdio>
#include <cstdlib>

namespace ringpoll {

void assertionFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "ringpoll: invariant broken: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace ringpoll
