// Keys for the frames of clients, which nobody may foresee (RFC 6455, section 10.3): from the
// kernel, some at a time.
#pragma once

#include <unistd.h>
#ifdef __APPLE__
#include <sys/random.h>
#endif

#include <cstddef>

#include "core/base/assert.h"
#include "mask.h"

namespace ringpoll::websocket {

class MaskKeys {
 public:
  MaskKey next() {
    if (used_ == kKeys) {
      const int result = ::getentropy(keys_, sizeof keys_);
      RP_ASSERT(result == 0);
      used_ = 0;
    }
    return keys_[used_++];
  }

 private:
  static constexpr size_t kKeys = 64;  // 256 bytes, the most that one call gives

  MaskKey keys_[kKeys] = {};
  size_t used_ = kKeys;
};

}  // namespace ringpoll::websocket
