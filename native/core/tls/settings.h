// What a filter keeps of one listener or connect call.
#pragma once

#include <memory>
#include <string>

#include "context.h"
#include "core/loop/protocol.h"
#include "core/system/address_filter.h"
#include "counters.h"

namespace ringpoll::tls {

struct Settings final : ProtocolSettings {
  std::shared_ptr<const Context> context;  // of new connections; those that are open keep theirs
  uint32_t handshakeMs = 120'000;          // from the connection's first moment
  bool httpInside = false;                 // plain HTTP is answered with 400
  bool http2Inside = false;  // where ALPN has chosen HTTP/2, JavaScript speaks it: raw bytes
  std::shared_ptr<Counters> counters;  // of this listener; null: nobody asks
  AddressFilter proxies;               // whose connections begin with a PROXY header
  bool asksForNames = false;           // kTlsServerName for names that the context does not have
  // Of clients.
  std::string serverName;  // sent; empty: none
  std::string verifyName;  // must be in the certificate; empty: any may
  OwnedSession resumed;
};

}  // namespace ringpoll::tls
