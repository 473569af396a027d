// The system calls that move datagrams, many in one call where the system can: the kernel's in
// production, a script's in tests.
#pragma once

#include <sys/socket.h>

#include <cstdint>

namespace ringpoll {

// Like Linux's mmsghdr, which others lack.
struct DatagramMessage {
  msghdr header{};
  uint32_t length = 0;  // of what was received or sent, in bytes
};

class DatagramCalls {
 public:
  virtual ~DatagramCalls() = default;
  // How many were received or sent, at least one, or -errno. Neither waits.
  virtual int receive(int fd, DatagramMessage* messages, uint32_t count);
  virtual int send(int fd, DatagramMessage* messages, uint32_t count);
  // Takes one report from the socket's error queue: 0, or -errno (EAGAIN: there is none).
  virtual int receiveError(int fd, msghdr* message);
};

}  // namespace ringpoll
