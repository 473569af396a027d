// The last bytes of a connection that is closed. A kernel that closes a socket with bytes in it
// that nobody read sends RST, and the peer loses what is still under way to it. A program cannot
// always avoid that by reading everything: the peer may go on sending, and a server of TLS 1.3
// sends its tickets when it likes. So what comes is read and dropped, until the peer's kernel has
// all that was sent.
//
//   all is sent --unsent in the kernel--> our FIN, look again after 2, 4, ... 50 ms --> closed
//                                           it has all, or reset, or took nothing for
//                                           kLingerStillMs, or kLingerMsMax are over
#pragma once

#include <unordered_map>

#include "core/channel/timer_wheel.h"
#include "loop_state.h"

namespace ringpoll {

class Lingering {
 public:
  Lingering(LoopState& state, ChannelEnds& ends, TimerWheel& timers)
      : state_(state), ends_(ends), timers_(timers) {}

  // Everything has been handed to the kernel. False: it can be closed at once.
  bool begin(Channel& channel);
  // Its timer has come. False: it is not one of ours.
  bool onTimer(Channel& channel);
  // The loop stops, and all are closed: what has come by now is dropped, so that it resets none.
  void stop();
  void ended(const Channel& channel) {
    if (!all_.empty()) all_.erase(channel.token());
  }

 private:
  struct Linger {
    uint32_t delayMs;  // until the next look
    uint64_t unsent;   // bytes that the peer's kernel did not have
    uint64_t startMs;
    uint64_t movedMs;  // when they became fewer
  };

  bool dropReceived(const Channel& channel);

  LoopState& state_;
  ChannelEnds& ends_;
  TimerWheel& timers_;
  std::unordered_map<Token, Linger> all_;
};

}  // namespace ringpoll
