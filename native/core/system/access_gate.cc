#include "access_gate.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace ringpoll {

namespace {

constexpr uint32_t kMappedBytes = 12;  // before the IPv4 address in ::ffff:a.b.c.d
constexpr uint32_t kMappedBits = 96;
constexpr uint32_t kAddressBits = 128;
constexpr size_t kForgottenAtOnce = 16;  // bans that are over: many may end together
constexpr uint8_t kMappedPrefix[kMappedBytes] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void mapIpv4(const void* address, AddressBytes* bytes) {
  std::memcpy(bytes->data(), kMappedPrefix, kMappedBytes);
  std::memcpy(bytes->data() + kMappedBytes, address, 4);
}

bool isMapped(const AddressBytes& address) {
  return std::memcmp(address.data(), kMappedPrefix, kMappedBytes) == 0;
}

void cut(AddressBytes* address, uint32_t bits) {
  for (uint32_t i = 0; i < address->size(); ++i) {
    const uint32_t before = i * 8;
    if (before >= bits) {
      (*address)[i] = 0;
    } else if (bits - before < 8) {
      (*address)[i] &= static_cast<uint8_t>(0xff << (8 - (bits - before)));
    }
  }
}

// The number of bits of its family; 0: it is no address.
uint32_t parse(const std::string& text, AddressBytes* bytes) {
  in_addr in4;
  if (::inet_pton(AF_INET, text.c_str(), &in4) == 1) {
    mapIpv4(&in4, bytes);
    return kAddressBits - kMappedBits;
  }
  return ::inet_pton(AF_INET6, text.c_str(), bytes->data()) == 1 ? kAddressBits : 0;
}

bool fromPeer(const sockaddr_storage& peer, AddressBytes* bytes) {
  if (peer.ss_family == AF_INET) {
    mapIpv4(&reinterpret_cast<const sockaddr_in&>(peer).sin_addr, bytes);
    return true;
  }
  if (peer.ss_family != AF_INET6) return false;
  std::memcpy(bytes->data(), &reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr, 16);
  return true;
}

}  // namespace

bool PrefixSet::add(const std::string& rule) {
  const size_t slash = rule.find('/');
  AddressBytes bytes;
  const uint32_t bits = parse(rule.substr(0, slash), &bytes);
  if (bits == 0) return false;
  uint32_t prefix = bits;
  if (slash != std::string::npos) {
    const char* from = rule.data() + slash + 1;
    const char* end = rule.data() + rule.size();
    const auto [stopped, error] = std::from_chars(from, end, prefix);
    if (error != std::errc() || stopped != end || prefix > bits) return false;
  }
  const uint32_t length = kAddressBits - bits + prefix;
  cut(&bytes, length);
  byLength_[static_cast<uint8_t>(length)].insert(bytes);
  return true;
}

int PrefixSet::match(const AddressBytes& address) const {
  AddressBytes prefix = address;
  for (const auto& [length, prefixes] : byLength_) {  // the longest first
    cut(&prefix, length);
    if (prefixes.contains(prefix)) return length;
  }
  return -1;
}

AddressBytes AccessGate::keyOf(AddressBytes address) const {
  if (!isMapped(address)) cut(&address, rules_.ipv6Bits);
  return address;
}

bool AccessGate::denied(const AddressBytes& address) const {
  const int allowed = rules_.allow.match(address);
  const int refused = rules_.deny.match(address);
  if (allowed < 0 && refused < 0) return !rules_.allow.empty();
  return refused >= allowed;
}

AccessGate::Verdict AccessGate::ask(const sockaddr_storage& peer, uint64_t nowMs) {
  AddressBytes address;
  if (!fromPeer(peer, &address)) return Verdict::kAdmitted;
  if (denied(address)) {
    ++counts_.denied;
    return Verdict::kDenied;
  }
  const AddressBytes key = keyOf(address);
  if (isBanned(key, nowMs) || tooOften(key, nowMs)) {
    ++counts_.banned;
    return Verdict::kBanned;
  }
  const auto open = open_.find(key);
  if (open != open_.end() && open->second >= rules_.perAddressMax) {
    ++counts_.crowded;
    return Verdict::kCrowded;
  }
  return Verdict::kAdmitted;
}

void AccessGate::enter(const sockaddr_storage& peer, uint64_t connection) {
  AddressBytes address;
  if (!fromPeer(peer, &address)) return;
  const AddressBytes key = keyOf(address);
  ++open_[key];
  connections_[connection] = key;
}

void AccessGate::leave(uint64_t connection) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  const auto open = open_.find(found->second);
  if (--open->second == 0) open_.erase(open);
  connections_.erase(found);
}

bool AccessGate::ban(const std::string& address, uint64_t nowMs, uint64_t ms) {
  AddressBytes bytes;
  if (parse(address, &bytes) == 0) return false;
  banKey(keyOf(bytes), nowMs + ms);
  return true;
}

bool AccessGate::unban(const std::string& address, uint64_t nowMs) {
  AddressBytes bytes;
  if (parse(address, &bytes) == 0) return false;
  const AddressBytes key = keyOf(bytes);
  // Else it would be banned again by its next connection.
  young_.erase(key);
  old_.erase(key);
  if (!isBanned(key, nowMs)) return false;
  forgetBan(bans_.find(key));
  return true;
}

size_t AccessGate::bans(uint64_t nowMs) {
  forgetOver(nowMs, bans_.size());
  return bans_.size();
}

void AccessGate::forgetBan(std::map<AddressBytes, uint64_t>::iterator ban) {
  bansByEnd_.erase({ban->second, ban->first});
  bans_.erase(ban);
}

void AccessGate::forgetOver(uint64_t nowMs, size_t most) {
  for (; most > 0 && !bansByEnd_.empty() && bansByEnd_.begin()->first <= nowMs; --most) {
    forgetBan(bans_.find(bansByEnd_.begin()->second));
  }
}

bool AccessGate::isBanned(const AddressBytes& key, uint64_t nowMs) {
  forgetOver(nowMs, kForgottenAtOnce);
  const auto ban = bans_.find(key);
  return ban != bans_.end() && ban->second > nowMs;
}

void AccessGate::banKey(const AddressBytes& key, uint64_t untilMs) {
  const auto known = bans_.find(key);
  if (known != bans_.end()) forgetBan(known);
  // The one that would end first has to go.
  while (bans_.size() >= rules_.addressesMax) forgetBan(bans_.find(bansByEnd_.begin()->second));
  bans_[key] = untilMs;
  bansByEnd_.insert({untilMs, key});
}

bool AccessGate::tooOften(const AddressBytes& key, uint64_t nowMs) {
  if (rules_.connectsMax == 0) return false;
  Rate& rate = rateOf(key, nowMs);
  const double full = rules_.connectsMax;
  const auto passedMs = static_cast<double>(nowMs - rate.atMs);
  rate.tokens = std::min(full, rate.tokens + full * passedMs / rules_.windowMs);
  rate.atMs = nowMs;
  if (rate.tokens >= 1) {
    rate.tokens -= 1;
    return false;
  }
  // Behind the ban it begins anew.
  young_.erase(key);
  banKey(key, nowMs + rules_.banMs);
  return true;
}

AccessGate::Rate& AccessGate::rateOf(const AddressBytes& key, uint64_t nowMs) {
  const auto young = young_.find(key);
  if (young != young_.end()) return young->second;
  Rate rate{static_cast<double>(rules_.connectsMax), nowMs};
  if (const auto old = old_.find(key); old != old_.end()) {
    rate = old->second;
    old_.erase(old);
  }
  if (young_.size() >= std::max(1U, rules_.addressesMax / 2)) {
    old_ = std::move(young_);
    young_.clear();
  }
  return young_[key] = rate;
}

bool peerOf(int fd, sockaddr_storage* peer) {
  socklen_t length = sizeof *peer;
  return ::getpeername(fd, reinterpret_cast<sockaddr*>(peer), &length) == 0;
}

}  // namespace ringpoll
