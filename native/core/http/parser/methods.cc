#include "methods.h"

#include <cstring>
#include <iterator>

namespace ringpoll::http {
namespace {

constexpr std::string_view kNames[] = {
    "",           "GET",       "HEAD",    "POST",     "PUT",    "DELETE",
    "PATCH",      "OPTIONS",   "CONNECT", "TRACE",    "ACL",    "BIND",
    "CHECKOUT",   "COPY",      "LINK",    "LOCK",     "MERGE",  "MKACTIVITY",
    "MKCALENDAR", "MKCOL",     "MOVE",    "M-SEARCH", "NOTIFY", "PROPFIND",
    "PROPPATCH",  "PURGE",     "QUERY",   "REBIND",   "REPORT", "SEARCH",
    "SOURCE",     "SUBSCRIBE", "UNBIND",  "UNLINK",   "UNLOCK", "UNSUBSCRIBE",
};
static_assert(std::size(kNames) == static_cast<size_t>(Method::kCount));

}  // namespace

std::string_view methodName(Method method) { return kNames[static_cast<uint32_t>(method)]; }

Method findMethod(const uint8_t* name, uint32_t length) {
  for (uint32_t i = 1; i < std::size(kNames); i++) {
    if (kNames[i].size() == length && std::memcmp(kNames[i].data(), name, length) == 0) {
      return static_cast<Method>(i);
    }
  }
  return Method::kUnknown;
}

}  // namespace ringpoll::http
