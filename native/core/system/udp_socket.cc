#include "udp_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ringpoll {

namespace {

#ifndef UDP_GRO
constexpr int kUdpGro = 104;
#else
constexpr int kUdpGro = UDP_GRO;
#endif

int set(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : -errno;
}

int makeUdpSocket(int family) {
#ifdef SOCK_NONBLOCK
  return ::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
  const int fd = ::socket(family, SOCK_DGRAM, 0);
  if (fd < 0) return fd;
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
#endif
}

int describeReceived(int fd, int family, const UdpOptions& options) {
  int result = 0;
  const auto ask = [&](int level, int name) {
    if (result == 0) result = set(fd, level, name, 1);
  };
  const bool ipv6 = family == AF_INET6;
#ifdef __linux__
  // ICMP errors, with where the datagram was going; and how many found no room. These are told
  // where the system can.
  set(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_RECVERR : IP_RECVERR, 1);
  if (ipv6) set(fd, IPPROTO_IP, IP_RECVERR, 1);
  set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  if (options.packetInfo) {
    ask(ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_RECVPKTINFO : IP_PKTINFO);
  }
  if (options.trafficClass) {
    if (ipv6) ask(IPPROTO_IPV6, IPV6_RECVTCLASS);
    ask(IPPROTO_IP, IP_RECVTOS);
  }
  if (options.hopLimit) {
    if (ipv6) ask(IPPROTO_IPV6, IPV6_RECVHOPLIMIT);
    ask(IPPROTO_IP, IP_RECVTTL);
  }
  if (options.coalesce) ask(IPPROTO_UDP, kUdpGro);
#else
  (void)ask;
  (void)ipv6;
  const bool asked =
      options.packetInfo || options.trafficClass || options.hopLimit || options.coalesce;
  if (asked) result = -ENOTSUP;
#endif
  return result;
}

struct Place {
  int level;
  int name;
};

Place placeOf(int family, UdpOption option) {
  const bool ipv6 = family == AF_INET6;
  switch (option) {
    case UdpOption::kBroadcast:
      return {SOL_SOCKET, SO_BROADCAST};
    case UdpOption::kHops:
      return ipv6 ? Place{IPPROTO_IPV6, IPV6_UNICAST_HOPS} : Place{IPPROTO_IP, IP_TTL};
    case UdpOption::kMulticastHops:
      return ipv6 ? Place{IPPROTO_IPV6, IPV6_MULTICAST_HOPS} : Place{IPPROTO_IP, IP_MULTICAST_TTL};
    case UdpOption::kMulticastLoop:
      return ipv6 ? Place{IPPROTO_IPV6, IPV6_MULTICAST_LOOP} : Place{IPPROTO_IP, IP_MULTICAST_LOOP};
    case UdpOption::kTrafficClass:
      return ipv6 ? Place{IPPROTO_IPV6, IPV6_TCLASS} : Place{IPPROTO_IP, IP_TOS};
    case UdpOption::kReceiveBuffer:
      return {SOL_SOCKET, SO_RCVBUF};
    case UdpOption::kSendBuffer:
    case UdpOption::kCount:
      break;
  }
  return {SOL_SOCKET, SO_SNDBUF};
}

// The number of the interface that an address names: by its zone, or by whose address it is.
bool interfaceIndex(const std::string& interface, uint32_t* index) {
  SocketAddress address;
  if (!SocketAddress::fromIp(interface, 0, &address)) return false;
  *index = reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_scope_id;
  return address.family() == AF_INET6;
}

bool ipv4Of(const std::string& text, in_addr* out) {
  SocketAddress address;
  if (!SocketAddress::fromIp(text, 0, &address) || address.family() != AF_INET) return false;
  *out = reinterpret_cast<const sockaddr_in&>(address.storage).sin_addr;
  return true;
}

int changeIpv4(int fd, bool join, const std::string& group, const std::string& source,
               const std::string& interface) {
  in_addr groupAddress{};
  in_addr interfaceAddress{};
  if (!ipv4Of(group, &groupAddress)) return -EINVAL;
  if (!interface.empty() && !ipv4Of(interface, &interfaceAddress)) return -EINVAL;
  int result;
  if (source.empty()) {
    ip_mreq request{};
    request.imr_multiaddr = groupAddress;
    request.imr_interface = interfaceAddress;
    result = ::setsockopt(fd, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request,
                          sizeof request);
  } else {
    ip_mreq_source request{};
    request.imr_multiaddr = groupAddress;
    request.imr_interface = interfaceAddress;
    if (!ipv4Of(source, &request.imr_sourceaddr)) return -EINVAL;
    result =
        ::setsockopt(fd, IPPROTO_IP, join ? IP_ADD_SOURCE_MEMBERSHIP : IP_DROP_SOURCE_MEMBERSHIP,
                     &request, sizeof request);
  }
  return result == 0 ? 0 : -errno;
}

}  // namespace

SocketResult openUdp(const SocketAddress& local, const SocketAddress* remote,
                     const UdpOptions& options) {
  const int fd = makeUdpSocket(local.family());
  const auto failed = [fd](int error, Syscall syscall) {
    if (fd >= 0) ::close(fd);
    return SocketResult{-1, error, syscall};
  };
  if (fd < 0) return failed(errno, Syscall::kSocket);
  int result = 0;
  if (options.reuseAddress) result = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (result == 0 && options.reusePort) result = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (result == 0 && local.family() == AF_INET6) {
    result = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6Only ? 1 : 0);
  }
  if (result == 0) result = describeReceived(fd, local.family(), options);
  if (result != 0) return failed(-result, Syscall::kSetsockopt);
  if (::bind(fd, local.get(), local.length) != 0) return failed(errno, Syscall::kBind);
  if (remote != nullptr && ::connect(fd, remote->get(), remote->length) != 0) {
    return failed(errno, Syscall::kConnect);
  }
  return {fd, 0, Syscall::kNone};
}

int connectUdp(int fd, const SocketAddress* remote) {
  if (remote != nullptr) {
    return ::connect(fd, remote->get(), remote->length) == 0 ? 0 : -errno;
  }
  sockaddr nobody{};
  nobody.sa_family = AF_UNSPEC;
  // BSD answers so when it has been done.
  const bool done = ::connect(fd, &nobody, sizeof nobody) == 0 || errno == EAFNOSUPPORT;
  return done ? 0 : -errno;
}

int setUdpOption(int fd, int family, UdpOption option, int value) {
  const Place place = placeOf(family, option);
  const int result = set(fd, place.level, place.name, value);
  // An IPv6 socket speaks to IPv4 peers too, for whom it has options of IPv4.
  if (result == 0 && family == AF_INET6 && place.level == IPPROTO_IPV6) {
    const Place other = placeOf(AF_INET, option);
    set(fd, other.level, other.name, value);
  }
  return result;
}

int udpOption(int fd, int family, UdpOption option) {
  const Place place = placeOf(family, option);
  int value = 0;
  socklen_t length = sizeof value;
  if (::getsockopt(fd, place.level, place.name, &value, &length) != 0) return -errno;
  return value;
}

int setMulticastInterface(int fd, int family, const std::string& interface) {
  if (family == AF_INET6) {
    uint32_t index = 0;
    if (!interface.empty() && !interfaceIndex(interface, &index)) return -EINVAL;
    return set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(index));
  }
  in_addr address{};
  if (!interface.empty() && !ipv4Of(interface, &address)) return -EINVAL;
  const int result = ::setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &address, sizeof address);
  return result == 0 ? 0 : -errno;
}

int changeMembership(int fd, int family, bool join, const std::string& group,
                     const std::string& source, const std::string& interface) {
  if (family == AF_INET) return changeIpv4(fd, join, group, source, interface);
  SocketAddress groupAddress;
  if (!SocketAddress::fromIp(group, 0, &groupAddress)) return -EINVAL;
  if (groupAddress.family() != AF_INET6) return -EINVAL;
  uint32_t index = reinterpret_cast<const sockaddr_in6&>(groupAddress.storage).sin6_scope_id;
  if (!interface.empty() && !interfaceIndex(interface, &index)) return -EINVAL;
  int result;
  if (source.empty()) {
    ipv6_mreq request{};
    request.ipv6mr_multiaddr =
        reinterpret_cast<const sockaddr_in6&>(groupAddress.storage).sin6_addr;
    request.ipv6mr_interface = index;
    result = ::setsockopt(fd, IPPROTO_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &request,
                          sizeof request);
  } else {
    SocketAddress sourceAddress;
    if (!SocketAddress::fromIp(source, 0, &sourceAddress)) return -EINVAL;
    group_source_req request{};
    request.gsr_interface = index;
    std::memcpy(&request.gsr_group, groupAddress.get(), groupAddress.length);
    std::memcpy(&request.gsr_source, sourceAddress.get(), sourceAddress.length);
    result =
        ::setsockopt(fd, IPPROTO_IPV6, join ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP,
                     &request, sizeof request);
  }
  return result == 0 ? 0 : -errno;
}

}  // namespace ringpoll
