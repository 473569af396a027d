// Memory of JavaScript's that the body of a request is received into.
#pragma once

#include <cstdint>

namespace ringpoll::http {

// It stays where it is, and is nobody else's, as long as this object lives. The binding derives
// from it: the core knows no JavaScript.
struct BodyMemory {
  BodyMemory(uint8_t* from, uint64_t length) : data(from), bytes(length) {}
  virtual ~BodyMemory() = default;
  BodyMemory(const BodyMemory&) = delete;
  BodyMemory& operator=(const BodyMemory&) = delete;

  uint8_t* const data;
  const uint64_t bytes;  // of the whole body
};

}  // namespace ringpoll::http
