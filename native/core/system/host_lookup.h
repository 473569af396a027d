// The addresses of a host name, as the system resolves it.
#pragma once

#include <string>
#include <vector>

namespace ringpoll {

struct HostLookup {
  std::vector<std::string> addresses;  // in the system's order; IPv6 with its %zone
  // Node's name of the error, or nullptr: "ENOTFOUND", "EAI_AGAIN" or "EAI_FAIL".
  const char* error = nullptr;
};

// Blocks the thread: a name in /etc/hosts takes microseconds, one that a server must be asked for
// as long as the resolver waits for that server.
HostLookup lookUpHost(const std::string& name);

}  // namespace ringpoll
