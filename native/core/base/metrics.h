// Counters of one loop. Plain integers: one thread writes and reads them.
#pragma once

#include <cstdint>

namespace ringpoll {

// name, meaning: the binding and the docs are made from this one list.
#define RINGPOLL_METRICS(X)                                                             \
  X(turns, "turns of the loop")                                                         \
  X(turnsWithEvents, "turns that called into JavaScript")                               \
  X(waits, "blocking or polling waits of the primary engine")                           \
  X(waitSpins, "waits that polled before they blocked: loop.wait")                      \
  X(waitSpinsPaid, "of these, which had an event before they blocked")                  \
  X(events, "events delivered to JavaScript")                                           \
  X(commands, "commands taken from JavaScript")                                         \
  X(accepted, "connections accepted")                                                   \
  X(acceptErrors, "accepts refused by the kernel (EMFILE and others)")                  \
  X(acceptDropped, "connections closed at once because of maxConnections or access")    \
  X(connected, "outgoing connections made")                                             \
  X(closed, "connections closed")                                                       \
  X(arrived, "connections that came from another thread")                               \
  X(departed, "connections that went to another thread")                                \
  X(receives, "receive calls and completions that brought bytes")                       \
  X(receivesEmpty, "receive calls that found nothing")                                  \
  X(bytesRead, "bytes received")                                                        \
  X(sends, "synchronous send calls")                                                    \
  X(sendsTogether, "sends given to the ring many at a time, at the end of a busy turn") \
  X(sendsPartial, "synchronous sends that the kernel took only in part")                \
  X(sendsByEngine, "remainders handed to the engine")                                   \
  X(sendsWithoutMemory, "sends that the kernel had no memory for, tried again later")   \
  X(bytesWritten, "bytes the kernel took")                                              \
  X(bytesSpliced, "bytes that went from socket to socket without a copy")               \
  X(bytesCopied, "bytes copied because their block could not wait")                     \
  X(staleEvents, "events dropped because their channel was over")                       \
  X(fileOperations, "file operations given to the ring")                                \
  X(fileSends, "sendfile calls")                                                        \
  X(fileFetches, "pieces of files that were read before they were sent")                \
  X(submissions, "entries submitted to the ring")                                       \
  X(ringEnters, "io_uring_enter calls")                                                 \
  X(ringQueued, "entries in the submission queue when it was last submitted")           \
  X(ringCompleted, "entries in the completion queue when it last had any")              \
  X(ringOverflows, "completion queue overflows")                                        \
  X(ringRearms, "multishot operations armed again")                                     \
  X(bufferExhaustions, "receives that found no buffer (ENOBUFS or no memory)")          \
  X(pollWaits, "epoll_wait or kevent calls")                                            \
  X(triggersToLevel, "connections that epoll tells of by levels from then on")          \
  X(triggersToEdge, "connections that epoll tells of by edges again")                   \
  X(epollControls, "epoll_ctl calls or kevent changes")                                 \
  X(timersFired, "timers fired")                                                        \
  X(idleTimeouts, "timeout events")

struct Metrics {
#define RINGPOLL_FIELD(name, meaning) uint64_t name = 0;
  RINGPOLL_METRICS(RINGPOLL_FIELD)
#undef RINGPOLL_FIELD
};

}  // namespace ringpoll
