#include "address_filter.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>

namespace ringpoll {

namespace {

constexpr uint32_t kMappedBytes = 12;  // before the IPv4 address in ::ffff:a.b.c.d
constexpr uint32_t kAddressBits = 128;

void mapIpv4(const void* address, uint8_t* bytes) {
  std::memset(bytes, 0, kMappedBytes);
  bytes[10] = bytes[11] = 0xff;
  std::memcpy(bytes + kMappedBytes, address, 4);
}

bool samePrefix(const uint8_t* a, const uint8_t* b, uint32_t bits) {
  const uint32_t whole = bits / 8;
  if (std::memcmp(a, b, whole) != 0) return false;
  const uint32_t rest = bits % 8;
  return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

}  // namespace

bool AddressFilter::add(const std::string& rule) {
  if (rule == "unix") {
    unix_ = true;
    return true;
  }
  const size_t slash = rule.find('/');
  const std::string address = rule.substr(0, slash);
  Rule parsed{};
  uint32_t bits = 0;
  in_addr in4;
  if (::inet_pton(AF_INET, address.c_str(), &in4) == 1) {
    mapIpv4(&in4, parsed.bytes.data());
    bits = 32;
  } else if (::inet_pton(AF_INET6, address.c_str(), parsed.bytes.data()) == 1) {
    bits = kAddressBits;
  } else {
    return false;
  }
  uint32_t prefix = bits;
  if (slash != std::string::npos) {
    const char* from = rule.data() + slash + 1;
    const char* end = rule.data() + rule.size();
    const auto [stopped, error] = std::from_chars(from, end, prefix);
    if (error != std::errc() || stopped != end || from == end || prefix > bits) return false;
  }
  parsed.prefixBits = static_cast<uint8_t>(kAddressBits - bits + prefix);
  rules_.push_back(parsed);
  return true;
}

bool AddressFilter::contains(const sockaddr_storage& address) const {
  Bytes bytes;
  if (address.ss_family == AF_UNIX) return unix_;
  if (address.ss_family == AF_INET) {
    mapIpv4(&reinterpret_cast<const sockaddr_in&>(address).sin_addr, bytes.data());
  } else if (address.ss_family == AF_INET6) {
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 16);
  } else {
    return false;
  }
  for (const Rule& rule : rules_) {
    if (samePrefix(rule.bytes.data(), bytes.data(), rule.prefixBits)) return true;
  }
  return false;
}

bool AddressFilter::containsPeer(int fd) const {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return false;
  return contains(storage);
}

}  // namespace ringpoll
