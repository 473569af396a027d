// What is counted of TLS: of all connections of a loop, and of those of one listener.
#pragma once

#include <cstdint>

namespace ringpoll::tls {

struct Counters {
  uint64_t connections = 0;  // open now, handshakes included
  uint64_t handshakes = 0;   // completed
  uint64_t handshakes13 = 0;
  uint64_t handshakes12 = 0;
  uint64_t resumed = 0;   // of the completed
  uint64_t failures = 0;  // of handshakes
  uint64_t truncated = 0;
  uint64_t deferred = 0;  // handshakes that waited for a later turn
  uint64_t alertsSent[256] = {};
  uint64_t alertsReceived[256] = {};
};

}  // namespace ringpoll::tls
