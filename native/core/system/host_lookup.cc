#include "host_lookup.h"

#include <sys/socket.h>

#include <netdb.h>

namespace ringpoll {

namespace {

const char* errorName(int result) {
  if (result == EAI_AGAIN) return "EAI_AGAIN";
  if (result == EAI_NONAME) return "ENOTFOUND";
#ifdef EAI_NODATA
  if (result == EAI_NODATA) return "ENOTFOUND";
#endif
  return "EAI_FAIL";
}

}  // namespace

HostLookup lookUpHost(const std::string& name) {
  HostLookup found;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;  // else each address comes once for each type
  addrinfo* list = nullptr;
  const int result = ::getaddrinfo(name.c_str(), nullptr, &hints, &list);
  if (result != 0) {
    found.error = errorName(result);
    return found;
  }
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    char text[NI_MAXHOST];
    const int named = ::getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof text, nullptr, 0,
                                    NI_NUMERICHOST);
    if (named == 0) found.addresses.emplace_back(text);
  }
  ::freeaddrinfo(list);
  if (found.addresses.empty()) found.error = "ENOTFOUND";
  return found;
}

}  // namespace ringpoll
