// Who may connect to a listener: networks, a limit of connections by address, and bans. All memory
// is bounded, and every question takes logarithmic time, whatever addresses peers have.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ringpoll {

// IPv4 stands as IPv4-mapped IPv6, so that one form covers both.
using AddressBytes = std::array<uint8_t, 16>;

// Networks, each by its prefix. The time of a look grows with the number of different lengths.
class PrefixSet {
 public:
  // '192.0.2.1', '192.0.2.0/24' or '2001:db8::/32'. False: none of these.
  bool add(const std::string& rule);
  // The length of the longest prefix that matches; -1: none does.
  int match(const AddressBytes& address) const;
  bool empty() const { return byLength_.empty(); }

 private:
  std::map<uint8_t, std::set<AddressBytes>, std::greater<>> byLength_;
};

struct AccessRules {
  PrefixSet allow;  // empty: everybody
  PrefixSet deny;
  uint32_t perAddressMax = UINT32_MAX;  // open connections
  // Connections in `windowMs`, beyond which an address is banned for `banMs`; 0: nobody is.
  uint32_t connectsMax = 0;
  uint32_t windowMs = 10000;
  uint32_t banMs = 60000;
  uint32_t addressesMax = 16384;  // whose rate is known; and as many bans
  uint32_t ipv6Bits = 64;         // what counts as one address
};

class AccessGate {
 public:
  enum class Verdict : uint8_t { kAdmitted, kDenied, kBanned, kCrowded };
  struct Counts {
    uint64_t denied = 0;
    uint64_t banned = 0;
    uint64_t crowded = 0;
  };

  // Connections that are open stay counted, and bans stay.
  void setRules(AccessRules rules) { rules_ = std::move(rules); }
  // Whether a peer may connect now. Those of Unix sockets always may.
  Verdict ask(const sockaddr_storage& peer, uint64_t nowMs);
  // One that may has connected: it is counted until leave().
  void enter(const sockaddr_storage& peer, uint64_t connection);
  void leave(uint64_t connection);
  // False: `address` is none.
  bool ban(const std::string& address, uint64_t nowMs, uint64_t ms);
  // Whether it was banned.
  bool unban(const std::string& address, uint64_t nowMs);
  const Counts& counts() const { return counts_; }
  size_t bans(uint64_t nowMs);
  size_t known() const { return young_.size() + old_.size(); }

 private:
  // Tokens of a bucket that holds `connectsMax` and is filled once in `windowMs`.
  struct Rate {
    double tokens;
    uint64_t atMs;
  };
  using Rates = std::map<AddressBytes, Rate>;

  AddressBytes keyOf(AddressBytes address) const;
  bool denied(const AddressBytes& address) const;
  bool isBanned(const AddressBytes& key, uint64_t nowMs);
  void banKey(const AddressBytes& key, uint64_t untilMs);
  void forgetBan(std::map<AddressBytes, uint64_t>::iterator ban);
  void forgetOver(uint64_t nowMs, size_t most);
  bool tooOften(const AddressBytes& key, uint64_t nowMs);
  Rate& rateOf(const AddressBytes& key, uint64_t nowMs);

  AccessRules rules_;
  Counts counts_;
  std::map<AddressBytes, uint32_t> open_;  // no more than there are connections
  std::map<uint64_t, AddressBytes> connections_;
  std::map<AddressBytes, uint64_t> bans_;  // until when
  std::set<std::pair<uint64_t, AddressBytes>> bansByEnd_;
  // What has not come for the longest time is forgotten: when the young half is full, the old one.
  Rates young_;
  Rates old_;
};

// The peer of a connected socket; false: it has none any more.
bool peerOf(int fd, sockaddr_storage* peer);

}  // namespace ringpoll
