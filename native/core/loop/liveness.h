// Which channels keep the process alive.
//
// By default each does, from its beginning to its end. After unref() one does while it connects,
// has bytes or a FIN to send, or is being closed. With kHeldByWork, which is libuv's rule for its
// streams, it does while it is read too.
#pragma once

#include <cstdint>

#include "core/channel/channel.h"

namespace ringpoll {

class Liveness {
 public:
  // What decides has changed, or may have.
  void review(Channel& channel) {
    const bool idle = isIdle(channel);
    if (idle == ((channel.lifeFlags & kIdle) != 0)) return;
    channel.lifeFlags ^= kIdle;
    if (idle) {
      ++idle_;
    } else {
      --idle_;
    }
  }
  // Channels that do not count.
  uint32_t idle() const { return idle_; }

 private:
  static bool isIdle(const Channel& channel) {
    if (!(channel.lifeFlags & (kUnreferenced | kHeldByWork))) return false;
    if (channel.state != ChannelState::kOpen) return false;
    const bool ends = (channel.flags & kWriteEnding) && !(channel.flags & kWriteEnded);
    if (ends || (channel.flags & kCloseWhenSent) || !channel.allSent()) return false;
    // JavaScript has more to write, and waits to be told. With its share of the turn used up that
    // comes later than the end of what waits here.
    if (channel.flags & kDrainWanted) return false;
    if (channel.lifeFlags & kUnreferenced) return true;
    return channel.flags & (kPaused | kReadEnded);
  }

  uint32_t idle_ = 0;
};

}  // namespace ringpoll
