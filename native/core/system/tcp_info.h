// What the kernel knows of a TCP connection.
#pragma once

#include <cstdint>

namespace ringpoll {

struct TcpInfo {
  uint32_t rttUs = 0;  // smoothed
  uint32_t varianceUs = 0;
  uint32_t retransmits = 0;       // segments, since it was opened
  uint32_t congestionWindow = 0;  // segments
};

// False: it is no TCP connection, or the system does not tell.
bool tcpInfo(int fd, TcpInfo* out);

}  // namespace ringpoll
