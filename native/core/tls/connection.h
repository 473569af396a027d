// What the filter keeps of one TLS connection.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "core/channel/channel.h"
#include "core/http/parser/proxy.h"
#include "core/loop/protocol.h"
#include "core/system/sockets.h"
#include "counters.h"
#include "session.h"

namespace ringpoll::tls {

// What is needed until the handshake is over.
struct Handshake {
  uint32_t bytes = 0;               // received
  uint32_t used = 0;                // of them, given to OpenSSL
  SocketAddress peer;               // of the socket
  std::vector<ReceivedBytes> held;  // wait for their turn, or for JavaScript's answer
  bool readingHeld = false;         // the socket is not read meanwhile
  bool endHeld = false;             // the peer's FIN came behind what is held
  bool queued = false;              // for its turn
  bool waitsForName = false;
  bool nameAnswered = false;
  bool nameRefused = false;
  bool httpInside = false;
  bool http2Inside = false;
  bool asksForNames = false;
  bool awaitsProxy = false;         // a PROXY header comes before anything else
  std::vector<uint8_t> proxyBytes;  // of that header, until it is whole
};

struct Connection final : Filtered {
  Connection(ringpoll::Filter& of, Wire& wire, std::shared_ptr<const Context> context)
      : Filtered(of), session(wire, std::move(context)) {}

  std::shared_ptr<const Context> named;  // what JavaScript has chosen by the server's name
  std::shared_ptr<Counters> counters;    // of its listener
  Session session;
  std::unique_ptr<Handshake> handshake = std::make_unique<Handshake>();
  std::unique_ptr<http::ProxyHeader> proxy;  // what a PROXY header said
  bool inEnded = false;                      // the peer's close_notify was seen
  bool failed = false;                       // nothing is encoded or decoded any more
};

}  // namespace ringpoll::tls
