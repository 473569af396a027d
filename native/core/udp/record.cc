#include "record.h"

#include <netinet/in.h>

#include <cstring>

namespace ringpoll::udp {

void writeAddress(const sockaddr_storage& from, int32_t* record) {
  std::memset(record, 0, kRecordBytes);
  uint32_t flags = 0;
  uint16_t port = 0;
  if (from.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(from);
    port = ntohs(in.sin_port);
    flags = kIpv4;
    std::memcpy(record + kAddress, &in.sin_addr, sizeof in.sin_addr);
  } else if (from.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(from);
    port = ntohs(in.sin6_port);
    record[kScope] = static_cast<int32_t>(in.sin6_scope_id);
    std::memcpy(record + kAddress, &in.sin6_addr, sizeof in.sin6_addr);
  }
  record[kPort] = static_cast<int32_t>(port | flags << kFlagsShift);
}

socklen_t readAddress(const int32_t* record, int family, sockaddr_storage* to) {
  const auto word = static_cast<uint32_t>(record[kPort]);
  const bool ipv4 = (word >> kFlagsShift & kIpv4) != 0;
  const uint16_t port = htons(static_cast<uint16_t>(word));
  if (family == AF_INET) {
    if (!ipv4) return 0;
    auto& in = reinterpret_cast<sockaddr_in&>(*to);
    in = sockaddr_in{};
    in.sin_family = AF_INET;
    in.sin_port = port;
    std::memcpy(&in.sin_addr, record + kAddress, sizeof in.sin_addr);
    return sizeof in;
  }
  auto& in = reinterpret_cast<sockaddr_in6&>(*to);
  in = sockaddr_in6{};
  in.sin6_family = AF_INET6;
  in.sin6_port = port;
  if (ipv4) {
    in.sin6_addr.s6_addr[10] = in.sin6_addr.s6_addr[11] = 0xff;
    std::memcpy(in.sin6_addr.s6_addr + 12, record + kAddress, sizeof(in_addr));
  } else {
    in.sin6_scope_id = static_cast<uint32_t>(record[kScope]);
    std::memcpy(&in.sin6_addr, record + kAddress, sizeof in.sin6_addr);
  }
  return sizeof in;
}

}  // namespace ringpoll::udp
