#include "tcp_info.h"

#ifdef __linux__
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#endif

namespace ringpoll {

bool tcpInfo(int fd, TcpInfo* out) {
#ifdef __linux__
  tcp_info info{};
  socklen_t bytes = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) != 0) return false;
  *out = {info.tcpi_rtt, info.tcpi_rttvar, info.tcpi_total_retrans, info.tcpi_snd_cwnd};
  return true;
#else
  static_cast<void>(fd);
  static_cast<void>(out);
  return false;
#endif
}

}  // namespace ringpoll
