// Which engine serves a new channel, and by which route it receives.
#pragma once

#include "channel.h"

namespace ringpoll {

enum class EngineHint : uint8_t { kAuto, kUring, kPoll };
enum class ReceiveHint : uint8_t { kAuto, kReadiness, kCompletion };

struct RouterInput {
  int8_t uring = -1;  // index of each engine that runs, or -1
  int8_t poll = -1;
  ReceiveHint receive = ReceiveHint::kAuto;
};

struct RouteChoice {
  uint8_t engine;
  Route route;
};

// A pure function. With both engines, sockets go to the ring as a readiness notifier: measured, it
// is as cheap as epoll or a little cheaper, and one wait then covers everything. Completion has to
// be asked for: it is several times dearer for large messages.
inline RouteChoice chooseRoute(const RouterInput& input, EngineHint hint) {
  const bool pollOnly = input.uring < 0;
  const bool toPoll = pollOnly || (hint == EngineHint::kPoll && input.poll >= 0);
  if (toPoll) return {static_cast<uint8_t>(input.poll), Route::kReadiness};
  return {static_cast<uint8_t>(input.uring), input.receive == ReceiveHint::kCompletion
                                                 ? Route::kCompletion
                                                 : Route::kReadiness};
}

}  // namespace ringpoll
