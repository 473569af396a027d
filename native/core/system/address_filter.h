// A set of network addresses, by prefix: who may do something.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace ringpoll {

class AddressFilter {
 public:
  // '192.0.2.1', '192.0.2.0/24', '2001:db8::/32', or 'unix' for every peer of a Unix socket.
  // False: none of these.
  bool add(const std::string& rule);
  bool contains(const sockaddr_storage& address) const;
  // Whether the peer of a connected socket is in it.
  bool containsPeer(int fd) const;
  bool empty() const { return rules_.empty() && !unix_; }

 private:
  // IPv4 stands as IPv4-mapped IPv6, so that one form covers both.
  using Bytes = std::array<uint8_t, 16>;
  struct Rule {
    Bytes bytes;
    uint8_t prefixBits;
  };

  std::vector<Rule> rules_;
  bool unix_ = false;
};

}  // namespace ringpoll
