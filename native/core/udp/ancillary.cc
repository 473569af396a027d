#include "ancillary.h"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <cstring>

#include "record.h"

#ifdef __linux__
#include <linux/errqueue.h>
#endif

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace ringpoll::udp {

namespace {

template <typename Value>
Value valueOf(const cmsghdr* message) {
  Value value{};
  std::memcpy(&value, CMSG_DATA(message), sizeof value);
  return value;
}

void setFlag(int32_t* record, uint32_t flag) {
  record[kPort] = static_cast<int32_t>(static_cast<uint32_t>(record[kPort]) | flag << kFlagsShift);
}

void addTrait(int32_t* record, uint32_t value, uint32_t shift) {
  record[kTraits] =
      static_cast<int32_t>(static_cast<uint32_t>(record[kTraits]) | (value & 0xff) << shift);
}

void readIpv4(const cmsghdr* message, int32_t* record) {
  switch (message->cmsg_type) {
#ifdef __linux__
    case IP_TOS:
      addTrait(record, valueOf<uint8_t>(message), kClassShift);
      setFlag(record, kHasClass);
      break;
    case IP_TTL:
      addTrait(record, static_cast<uint32_t>(valueOf<int>(message)), kHopsShift);
      setFlag(record, kHasHops);
      break;
#endif
#ifdef IP_PKTINFO
    case IP_PKTINFO: {
      const auto info = valueOf<in_pktinfo>(message);
      record[kInterface] = static_cast<int32_t>(info.ipi_ifindex);
      std::memcpy(record + kLocal, &info.ipi_addr, sizeof info.ipi_addr);
      setFlag(record, kHasLocal);
      break;
    }
#endif
    default:
      break;
  }
}

void readIpv6(const cmsghdr* message, int32_t* record) {
  switch (message->cmsg_type) {
#ifdef IPV6_TCLASS
    case IPV6_TCLASS:
      addTrait(record, static_cast<uint32_t>(valueOf<int>(message)), kClassShift);
      setFlag(record, kHasClass);
      break;
#endif
#ifdef IPV6_HOPLIMIT
    case IPV6_HOPLIMIT:
      addTrait(record, static_cast<uint32_t>(valueOf<int>(message)), kHopsShift);
      setFlag(record, kHasHops);
      break;
#endif
#ifdef IPV6_PKTINFO
    case IPV6_PKTINFO: {
      const auto info = valueOf<in6_pktinfo>(message);
      record[kInterface] = static_cast<int32_t>(info.ipi6_ifindex);
      std::memcpy(record + kLocal, &info.ipi6_addr, sizeof info.ipi6_addr);
      setFlag(record, kHasLocal);
      break;
    }
#endif
    default:
      break;
  }
}

template <typename Value>
void append(msghdr& header, int level, int type, const Value& value) {
  auto* message =
      reinterpret_cast<cmsghdr*>(static_cast<uint8_t*>(header.msg_control) + header.msg_controllen);
  message->cmsg_level = level;
  message->cmsg_type = type;
  message->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(message), &value, sizeof value);
  header.msg_controllen += CMSG_SPACE(sizeof value);
}

}  // namespace

void readControl(msghdr& header, int32_t* record, [[maybe_unused]] uint32_t* kernelDropped) {
  for (cmsghdr* at = CMSG_FIRSTHDR(&header); at != nullptr; at = CMSG_NXTHDR(&header, at)) {
    if (at->cmsg_level == IPPROTO_IP) readIpv4(at, record);
    if (at->cmsg_level == IPPROTO_IPV6) readIpv6(at, record);
#ifdef __linux__
    if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SO_RXQ_OVFL) {
      *kernelDropped = valueOf<uint32_t>(at);
    }
    if (at->cmsg_level == IPPROTO_UDP && at->cmsg_type == UDP_GRO) {
      record[kTraits] |= static_cast<int32_t>(static_cast<uint32_t>(valueOf<int>(at)) & 0xffff);
    }
#endif
  }
}

void writeControl(msghdr& header, uint8_t* control, const int32_t* record,
                  [[maybe_unused]] int family, [[maybe_unused]] uint32_t segmentBytes) {
  std::memset(control, 0, kControlBytes);
  header.msg_control = control;
  header.msg_controllen = 0;
#ifdef __linux__
  if (segmentBytes > 0) {
    append(header, IPPROTO_UDP, UDP_SEGMENT, static_cast<uint16_t>(segmentBytes));
  }
#endif
  const bool local =
      record != nullptr && (static_cast<uint32_t>(record[kPort]) >> kFlagsShift & kHasLocal) != 0;
#ifdef IP_PKTINFO
  if (local && family == AF_INET) {
    // The address alone: the kernel finds the interface.
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, record + kLocal, sizeof info.ipi_spec_dst);
    append(header, IPPROTO_IP, IP_PKTINFO, info);
  }
#endif
#ifdef IPV6_PKTINFO
  if (local && family == AF_INET6) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, record + kLocal, sizeof info.ipi6_addr);
    append(header, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
#endif
  if (header.msg_controllen == 0) header.msg_control = nullptr;
}

SocketError readError([[maybe_unused]] msghdr& header) {
#ifdef __linux__
  for (cmsghdr* at = CMSG_FIRSTHDR(&header); at != nullptr; at = CMSG_NXTHDR(&header, at)) {
    const bool reported = (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_RECVERR) ||
                          (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_RECVERR);
    if (!reported) continue;
    const auto report = valueOf<sock_extended_err>(at);
    // What the send itself has answered comes here once more.
    if (report.ee_origin == SO_EE_ORIGIN_LOCAL) return {};
    return {static_cast<int>(report.ee_errno), true};
  }
#endif
  return {};
}

}  // namespace ringpoll::udp
