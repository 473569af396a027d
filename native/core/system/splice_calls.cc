#include "splice_calls.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace ringpoll {

#ifdef __linux__

uint32_t openPipe(uint32_t bytes, int* read, int* write) {
  int ends[2];
  if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return 0;
  // Refused (EPERM) when the user has many pipes; then it keeps the size that it has.
  ::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(bytes));
  const int room = ::fcntl(ends[1], F_GETPIPE_SZ);
  *read = ends[0];
  *write = ends[1];
  return room > 0 ? static_cast<uint32_t>(room) : 4096;
}

void closePipe(int read, int write) {
  ::close(read);
  ::close(write);
}

ssize_t spliceBytes(int from, int to, size_t bytes) {
  ssize_t n;
  do {
    n = ::splice(from, nullptr, to, nullptr, bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  } while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

#else

uint32_t openPipe(uint32_t, int*, int*) { return 0; }
void closePipe(int, int) {}
ssize_t spliceBytes(int, int, size_t) { return -ENOSYS; }

#endif

}  // namespace ringpoll
