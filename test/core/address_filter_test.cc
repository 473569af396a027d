// Sets of addresses, by prefix.
#include "core/system/address_filter.h"

#include <sys/un.h>

#include "check.h"
#include "core/system/sockets.h"

namespace {

using ringpoll::AddressFilter;
using ringpoll::SocketAddress;

bool contains(const AddressFilter& filter, const char* host) {
  SocketAddress address;
  return SocketAddress::fromIp(host, 1, &address) && filter.contains(address.storage);
}

TEST(address_filter_takes_addresses_and_networks) {
  AddressFilter filter;
  CHECK(filter.empty());
  for (const char* rule : {"192.0.2.1", "10.0.0.0/8", "172.16.0.0/12", "2001:db8::/33", "::1"}) {
    CHECK(filter.add(rule));
  }
  CHECK(!filter.empty());
  const char* const inside[] = {"192.0.2.1",  "10.0.0.0",       "10.255.255.255",
                                "172.31.0.1", "2001:db8::",     "2001:db8:7fff::1",
                                "::1",        "::ffff:10.1.2.3"};
  const char* const outside[] = {"192.0.2.2", "11.0.0.0",        "172.32.0.1",   "2001:db8:8000::",
                                 "::2",       "::ffff:11.0.0.1", "9.255.255.255"};
  for (const char* host : inside) CHECK(contains(filter, host));
  for (const char* host : outside) CHECK(!contains(filter, host));
}

TEST(address_filter_takes_everything_with_a_prefix_of_0) {
  AddressFilter four;
  CHECK(four.add("0.0.0.0/0"));
  CHECK(contains(four, "203.0.113.9"));
  CHECK(!contains(four, "2001:db8::1"));
  AddressFilter six;
  CHECK(six.add("::/0"));
  CHECK(contains(six, "2001:db8::1"));
  CHECK(contains(six, "203.0.113.9"));  // mapped
}

TEST(address_filter_refuses_what_is_no_rule) {
  AddressFilter filter;
  for (const char* rule : {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x",
                           "::/129", "10.0.0", "a.example", "10.0.0.0/ 8", "UNIX"}) {
    CHECK(!filter.add(rule));
  }
  CHECK(filter.empty());
}

TEST(address_filter_knows_unix_sockets) {
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  AddressFilter filter;
  CHECK(!filter.contains(storage));
  CHECK(filter.add("unix"));
  CHECK(filter.contains(storage));
  CHECK(!contains(filter, "127.0.0.1"));
}

}  // namespace
