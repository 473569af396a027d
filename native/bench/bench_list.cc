#include "bench_cases.h"

namespace ringpoll::bench {

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"system calls", "send and receive 64 B, no engine", sendReceive},
      {"system calls", "16 writes of 64 B", sixteenWrites},
      {"system calls", "1 writev of 16 x 64 B", oneWritev},
#ifdef __linux__
      {"poll engine", "epoll_wait, one ready descriptor", epollWait},
      {"poll engine", "64 B message: wait, receive, send", epollMessage},
      {"ring engine", "nop, one at a time", ringNop},
      {"ring engine", "nop, 32 a submission", ringNopBatch},
      {"ring engine", "poll of a ready descriptor", ringPoll},
      {"ring engine", "64 B message by readiness", ringReadinessMessage},
      {"ring engine", "64 B message by completion", ringCompletionMessage},
#endif
      {"turn", "idle turn, poll engine", idleTurnPoll},
      {"turn", "64 B echo turn, poll engine", echoTurnPoll},
#ifdef __linux__
      {"turn", "idle turn, ring engine", idleTurnRing},
      {"turn", "64 B echo turn, ring engine", echoTurnRing},
      {"wake-up of a thread", "by eventfd and epoll", eventfdWake},
      {"wake-up of a thread", "by MSG_RING", messageRingWake},
#endif
      {"memory", "arena lease and release, 2 KB", arenaLeaseSmall},
      {"memory", "arena lease and release, 256 KB", arenaLeaseLarge},
      {"memory", "send queue, push and consume", sendQueuePush},
      {"memory", "ready queue, push and take", readyQueuePush},
      {"timers", "arm and cancel", timerArmCancel},
      {"timers", "re-arm among 10,000", timerRearmAmongMany},
      {"timers", "arm and fire", timerFire},
      {"http parser", "small request", parseSmall},
      {"http parser", "browser's request", parseBrowser},
  };
  return all;
}

}  // namespace ringpoll::bench
