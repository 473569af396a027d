// Two connected non-blocking stream sockets, closed together, and the message sent through them.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

namespace ringpoll::bench {

inline constexpr uint32_t kMessageBytes = 64;

class SocketPair {
 public:
  SocketPair() {
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, fds_) != 0) fds_[0] = fds_[1] = -1;
    for (int fd : fds_) {
      if (fd >= 0) ::fcntl(fd, F_SETFL, O_NONBLOCK);
    }
  }
  ~SocketPair() {
    for (int fd : fds_) {
      if (fd >= 0) ::close(fd);
    }
  }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;

  bool open() const { return fds_[0] >= 0; }
  int near() const { return fds_[0]; }
  int far() const { return fds_[1]; }

 private:
  int fds_[2];
};

}  // namespace ringpoll::bench
