// Sends on many sockets in one call to the kernel, which costs less than a call for each. Nothing
// of them is left in the kernel when run() returns: what a socket has no room for is not sent.
#pragma once

#include <sys/uio.h>

#include <cstdint>

#include "core/base/limits.h"

namespace ringpoll {

class SendBatch {
 public:
  virtual ~SendBatch() = default;
  // How many sends the next run() may have, at most kSendsTogetherMax.
  virtual uint32_t room() const = 0;
  // At most kTogetherVectorsMax vectors, whose memory must stay until run() has returned.
  virtual void add(int fd, const iovec* vectors, uint32_t count) = 0;
  // Sends what was added. In that order: bytes, or -errno; good until the next add().
  virtual const int32_t* run() = 0;
};

}  // namespace ringpoll
