// Who may connect: networks, limits by address, bans; and how much of it is remembered.
#include "core/system/access_gate.h"

#include <map>
#include <string>

#include "check.h"
#include "core/system/sockets.h"
#include "random.h"

namespace {

using ringpoll::AccessGate;
using ringpoll::AccessRules;
using ringpoll::SocketAddress;
using Verdict = ringpoll::AccessGate::Verdict;

sockaddr_storage peer(const std::string& host) {
  SocketAddress address;
  if (!SocketAddress::fromIp(host.c_str(), 1, &address)) check::fail(__FILE__, __LINE__, host);
  return address.storage;
}

// A connection that does not stay.
Verdict knock(AccessGate& gate, const std::string& host, uint64_t nowMs = 0) {
  return gate.ask(peer(host), nowMs);
}

Verdict enter(AccessGate& gate, const std::string& host, uint64_t connection) {
  const Verdict verdict = gate.ask(peer(host), 0);
  if (verdict == Verdict::kAdmitted) gate.enter(peer(host), connection);
  return verdict;
}

std::string hostOf(uint32_t number) {
  return "10." + std::to_string(number >> 16 & 255) + "." + std::to_string(number >> 8 & 255) +
         "." + std::to_string(number & 255);
}

TEST(access_gate_lets_the_longest_prefix_decide) {
  AccessRules rules;
  for (const char* rule : {"10.0.0.0/8", "10.1.2.0/24", "2001:db8::/32"}) {
    CHECK(rules.allow.add(rule));
  }
  for (const char* rule : {"10.1.0.0/16", "10.1.2.3", "2001:db8:1::/48"}) {
    CHECK(rules.deny.add(rule));
  }
  AccessGate gate;
  gate.setRules(rules);
  for (const char* host : {"10.2.0.1", "10.1.2.4", "::ffff:10.2.0.1", "2001:db8:2::1"}) {
    CHECK(knock(gate, host) == Verdict::kAdmitted);
  }
  for (const char* host : {"10.1.3.1", "10.1.2.3", "192.0.2.1", "2001:db8:1::1", "::1"}) {
    CHECK(knock(gate, host) == Verdict::kDenied);
  }
  CHECK_EQ(gate.counts().denied, 5U);
  gate.setRules({});
  CHECK(knock(gate, "192.0.2.1") == Verdict::kAdmitted);
}

TEST(access_gate_denies_a_network_that_both_lists_name) {
  AccessRules rules;
  CHECK(rules.allow.add("10.0.0.1/8"));
  CHECK(rules.deny.add("10.255.0.0/8"));
  AccessGate gate;
  gate.setRules(rules);
  CHECK(knock(gate, "10.0.0.1") == Verdict::kDenied);
}

TEST(access_gate_refuses_rules_that_are_none) {
  AccessRules rules;
  for (const char* rule : {"", "/", "a", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "::/129",
                           "10.0.0.0/", "10.0.0", "unix", "1.2.3.4/8/8"}) {
    CHECK(!rules.allow.add(rule));
  }
  CHECK(rules.allow.empty());
}

TEST(access_gate_counts_open_connections_by_address) {
  AccessRules rules;
  rules.perAddressMax = 2;
  AccessGate gate;
  gate.setRules(rules);
  CHECK(enter(gate, "10.0.0.1", 1) == Verdict::kAdmitted);
  CHECK(enter(gate, "::ffff:10.0.0.1", 2) == Verdict::kAdmitted);
  CHECK(enter(gate, "10.0.0.1", 3) == Verdict::kCrowded);
  CHECK(enter(gate, "10.0.0.2", 4) == Verdict::kAdmitted);
  gate.leave(3);  // it never was in
  CHECK(enter(gate, "10.0.0.1", 5) == Verdict::kCrowded);
  gate.leave(1);
  CHECK(enter(gate, "10.0.0.1", 6) == Verdict::kAdmitted);
  // One subscriber of IPv6 has a whole network.
  CHECK(enter(gate, "2001:db8::1", 7) == Verdict::kAdmitted);
  CHECK(enter(gate, "2001:db8::2", 8) == Verdict::kAdmitted);
  CHECK(enter(gate, "2001:db8::3", 9) == Verdict::kCrowded);
  CHECK(enter(gate, "2001:db8:0:1::3", 10) == Verdict::kAdmitted);
}

TEST(access_gate_bans_who_connects_too_often_and_forgives) {
  AccessRules rules;
  rules.connectsMax = 10;
  rules.windowMs = 1000;
  rules.banMs = 5000;
  AccessGate gate;
  gate.setRules(rules);
  for (int i = 0; i < 10; ++i) CHECK(knock(gate, "10.0.0.1", 100) == Verdict::kAdmitted);
  CHECK(knock(gate, "10.0.0.1", 100) == Verdict::kBanned);
  CHECK_EQ(gate.bans(100), 1U);
  CHECK(knock(gate, "10.0.0.2", 100) == Verdict::kAdmitted);
  CHECK(knock(gate, "10.0.0.1", 5099) == Verdict::kBanned);
  CHECK(knock(gate, "10.0.0.1", 5100) == Verdict::kAdmitted);
  CHECK_EQ(gate.bans(5100), 0U);
  // At the rate itself nobody is banned.
  for (uint64_t nowMs = 10000; nowMs < 60000; nowMs += 100) {
    CHECK(knock(gate, "10.0.0.3", nowMs) == Verdict::kAdmitted);
  }
}

TEST(access_gate_takes_bans_by_hand) {
  AccessGate gate;
  CHECK(!gate.ban("10.0.0.0/8", 0, 1000));
  CHECK(gate.ban("10.0.0.1", 0, 1000));
  CHECK(gate.ban("::ffff:10.0.0.1", 0, 3000));
  CHECK(knock(gate, "10.0.0.1", 2999) == Verdict::kBanned);
  CHECK(gate.unban("10.0.0.1", 2999));
  CHECK(!gate.unban("10.0.0.1", 2999));
  CHECK(knock(gate, "10.0.0.1", 2999) == Verdict::kAdmitted);
}

TEST(access_gate_remembers_a_bounded_number_of_addresses) {
  AccessRules rules;
  rules.connectsMax = 2;
  rules.windowMs = 1000;
  rules.banMs = 60000;
  rules.addressesMax = 1000;
  AccessGate gate;
  gate.setRules(rules);
  for (uint32_t i = 0; i < 50000; ++i) {
    for (int again = 0; again < 3; ++again) knock(gate, hostOf(i), i / 100);
    CHECK(gate.known() <= 1000);
  }
  CHECK(gate.bans(500) <= 1000);
  // Of bans those that end last are kept.
  CHECK(knock(gate, hostOf(49999), 500) == Verdict::kBanned);
  CHECK(knock(gate, hostOf(0), 500) == Verdict::kAdmitted);
}

// Against a model that forgets nothing.
TEST(access_gate_agrees_with_a_model) {
  AccessRules rules;
  rules.perAddressMax = 3;
  AccessGate gate;
  gate.setRules(rules);
  test::Random random(7);
  std::map<uint64_t, uint32_t> connections;
  std::map<uint32_t, uint32_t> open;
  for (uint64_t step = 0; step < 20000; ++step) {
    if (random.below(2) == 0 && !connections.empty()) {
      const auto leaving = connections.lower_bound(random.below(step));
      if (leaving == connections.end()) continue;
      --open[leaving->second];
      gate.leave(leaving->first);
      connections.erase(leaving);
      continue;
    }
    const uint32_t host = static_cast<uint32_t>(random.below(50));
    const Verdict verdict = enter(gate, hostOf(host), step);
    CHECK(verdict == (open[host] < 3 ? Verdict::kAdmitted : Verdict::kCrowded));
    if (verdict != Verdict::kAdmitted) continue;
    ++open[host];
    connections[step] = host;
  }
}

}  // namespace
