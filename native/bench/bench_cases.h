// What the files of the microbenchmarks offer; bench_list.cc puts it in order.
#pragma once

#include "bench.h"

namespace ringpoll::bench {

// Threads that wake each other are at the mercy of the scheduler: where it lets each wait for
// milliseconds, a sample ends early and is scaled.
inline constexpr double kSampleNsMax = 200e6;
inline constexpr uint32_t kTurnsPerLook = 16;

// bench_sockets.cc
Sample sendReceive(uint32_t operations, const Threads& threads);
Sample sixteenWrites(uint32_t operations, const Threads& threads);
Sample oneWritev(uint32_t operations, const Threads& threads);

// bench_epoll.cc (Linux)
Sample epollWait(uint32_t operations, const Threads& threads);
Sample epollMessage(uint32_t operations, const Threads& threads);
Sample eventfdWake(uint32_t operations, const Threads& threads);

// bench_ring.cc (Linux)
Sample ringNop(uint32_t operations, const Threads& threads);
Sample ringNopBatch(uint32_t operations, const Threads& threads);
Sample ringPoll(uint32_t operations, const Threads& threads);
Sample ringReadinessMessage(uint32_t operations, const Threads& threads);
Sample ringCompletionMessage(uint32_t operations, const Threads& threads);

// bench_ring_wake.cc (Linux)
Sample messageRingWake(uint32_t operations, const Threads& threads);

// bench_turn.cc
Sample idleTurnPoll(uint32_t operations, const Threads& threads);
Sample idleTurnRing(uint32_t operations, const Threads& threads);
Sample echoTurnPoll(uint32_t operations, const Threads& threads);
Sample echoTurnRing(uint32_t operations, const Threads& threads);

// bench_memory.cc
Sample arenaLeaseSmall(uint32_t operations, const Threads& threads);
Sample arenaLeaseLarge(uint32_t operations, const Threads& threads);
Sample sendQueuePush(uint32_t operations, const Threads& threads);
Sample readyQueuePush(uint32_t operations, const Threads& threads);

// bench_timers.cc
Sample timerArmCancel(uint32_t operations, const Threads& threads);
Sample timerRearmAmongMany(uint32_t operations, const Threads& threads);
Sample timerFire(uint32_t operations, const Threads& threads);

// bench_http.cc
Sample parseSmall(uint32_t operations, const Threads& threads);
Sample parseBrowser(uint32_t operations, const Threads& threads);

}  // namespace ringpoll::bench
