// What the loop keeps of a connection whose bytes go through a filter, such as TLS. The filter
// derives its own state from it, and hangs that on channel.filtered.
#pragma once

#include "send_queue.h"

namespace ringpoll {

class Filter;

struct Filtered {
  explicit Filtered(Filter& of) : filter(of) {}
  virtual ~Filtered() = default;
  Filtered(const Filtered&) = delete;
  Filtered& operator=(const Filtered&) = delete;

  Filter& filter;
  SendQueue plain;         // waits to be encoded: bytes, and ranges of files between them
  uint32_t fileBytes = 0;  // read of files since others had their turn
  bool announced = false;  // JavaScript knows the connection, and its protocol is open
  bool readsFile = false;  // bytes of the file at the front are on their way
  bool ended = false;      // the filter was told that nothing follows
};

}  // namespace ringpoll
