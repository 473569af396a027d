#include "wake.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#ifdef __linux__
#include <sys/eventfd.h>
#endif

namespace ringpoll {

#ifdef __linux__

Wake::Wake() : read_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), write_(read_) {}

#else

Wake::Wake() {
  int ends[2];
  if (::pipe(ends) != 0) return;
  for (int fd : ends) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
  }
  read_ = ends[0];
  write_ = ends[1];
}

#endif

Wake::~Wake() {
  if (write_ >= 0 && write_ != read_) ::close(write_);
  if (read_ >= 0) ::close(read_);
}

// A counter or a pipe that is full has woken the other side already.
void Wake::signal() const {
  const uint64_t one = 1;
  while (::write(write_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void Wake::clear(int fd) {
  uint64_t bytes[8];
#ifdef __linux__
  while (::read(fd, bytes, sizeof bytes[0]) < 0 && errno == EINTR) {
  }
#else
  while (::read(fd, bytes, sizeof bytes) > 0 || errno == EINTR) {
  }
#endif
}

int duplicate(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return copy < 0 ? -errno : copy;
}

}  // namespace ringpoll
