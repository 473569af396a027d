// Datagram sockets: how they are opened, and their options.
#pragma once

#include <string>

#include "sockets.h"

namespace ringpoll {

// -1, or an empty text: as the system has it.
struct UdpOptions {
  bool reuseAddress = false;
  bool reusePort = false;
  bool ipv6Only = false;
  bool packetInfo = false;    // tell where to a datagram came, and by which interface
  bool trafficClass = false;  // ... its traffic class
  bool hopLimit = false;      // ... its hop limit
  bool coalesce = false;      // GRO: several datagrams of one sender as one
};

// The kinds of options that are set one by one.
enum class UdpOption : uint32_t {
  kBroadcast = 0,
  kHops = 1,  // TTL, of IPv6 the hop limit
  kMulticastHops = 2,
  kMulticastLoop = 3,
  kTrafficClass = 4,
  kReceiveBuffer = 5,  // bytes
  kSendBuffer = 6,     // bytes
  kCount = 7,
};

// A non-blocking datagram socket, bound to `local`, and connected to `remote` unless that is null.
SocketResult openUdp(const SocketAddress& local, const SocketAddress* remote,
                     const UdpOptions& options);

// To `remote` alone from now on; null: to nobody in particular. 0 or -errno.
int connectUdp(int fd, const SocketAddress* remote);
// 0 or -errno. `family` is the socket's.
int setUdpOption(int fd, int family, UdpOption option, int value);
// The value, or -errno.
int udpOption(int fd, int family, UdpOption option);
// Where multicast leaves: an address of ours, of IPv6 one with a zone, or empty for the system's
// choice. 0 or -errno.
int setMulticastInterface(int fd, int family, const std::string& interface);
// `source`: datagrams from that address alone; empty: from all. 0 or -errno.
int changeMembership(int fd, int family, bool join, const std::string& group,
                     const std::string& source, const std::string& interface);

}  // namespace ringpoll
