// What the HTTP connections of one listener have in common.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/http/parser/options.h"
#include "core/loop/protocol.h"
#include "core/system/address_filter.h"
#include "responder.h"

namespace ringpoll::http {

inline constexpr uint32_t kNoTimeout = 0;

// An answer that needs no JavaScript.
struct StaticRoute {
  HeadTemplate head;  // the whole of it
  std::string body;
};

// Looks paths up where they lie, without a string of their own.
struct PathHash {
  using is_transparent = void;
  size_t operator()(std::string_view path) const { return std::hash<std::string_view>{}(path); }
};
using StaticRoutes = std::unordered_map<std::string, StaticRoute, PathHash, std::equal_to<>>;

struct Profile final : ProtocolSettings {
  Options options;
  // Milliseconds, or kNoTimeout. lib/http/options.ts has the defaults of servers.
  uint32_t keepAliveMs = 5000;  // without a request, behind an answer
  uint32_t headersMs = 60000;   // from a request's first byte to the end of its head
  uint32_t requestMs = 300000;  // from a request's first byte to its last
  uint32_t readMs = 10000;      // between two bytes of a request
  uint32_t writeMs = 10000;     // without progress while bytes wait to be sent
  uint32_t lingerMs = 5000;     // from our FIN to the peer's
  // Bytes a second on average over a window of time, or 0: no limit.
  uint32_t receiveRateMin = 0;  // of a body, while it is asked for
  uint32_t sendRateMin = 0;     // while bytes wait to be sent
  uint32_t rateWindowMs = 60000;
  uint64_t lingerBytesMax = 16 * 1024 * 1024;  // read and dropped meanwhile
  uint32_t requestsMax = UINT32_MAX;           // on one connection
  uint64_t unsentMax = 64 * 1024;  // bytes of answers that wait, beyond which no request is taken
  bool holdUpgrades = false;
  bool tellsFirstByte = false;  // kHeadBegun comes before each request
  bool answersSilence = false;  // a peer that never says anything gets 408, and not only a FIN
  AddressFilter proxies;        // from these a PROXY header must come first
  mutable StaticRoutes routes;
  mutable std::vector<HeadTemplate> templates;
  bool stopping = false;             // the last answer of a connection ends it
  uint32_t stopGraceMs = 100;        // idle for so long, a connection closes when stopping
  uint32_t stopFirstGraceMs = 1000;  // the same, from its accept, before its first request
};

}  // namespace ringpoll::http
