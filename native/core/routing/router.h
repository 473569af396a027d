// Which engine serves a channel, and by which route it receives: the rules, without clock or state.
//
//   engine: 'poll', or no ring  -----------------------------------------> epoll or kqueue
//   a route asked for by name (connection, then RINGPOLL_RECEIVE)  ------> that route
//   nothing asked for  --------------------------------------------------> poll in the ring
#pragma once

#include "core/channel/channel.h"

namespace ringpoll {

enum class EngineHint : uint8_t { kAuto, kUring, kPoll };

inline constexpr uint32_t kRouteCount = 3;
inline constexpr const char* kRouteNames[kRouteCount] = {"readiness", "completion", "poll"};
enum RouteIndex : uint32_t { kRouteReadiness, kRouteCompletion, kRoutePoll };

struct RouterInput {
  int8_t uring = -1;  // index of each engine that runs, or -1
  int8_t poll = -1;
  ReceiveHint receive = ReceiveHint::kAuto;  // for the whole loop
};

struct RouteChoice {
  uint8_t engine;
  Route route;

  bool operator==(const RouteChoice&) const = default;
};

inline RouteIndex routeIndex(const RouterInput& input, RouteChoice choice) {
  if (choice.engine == static_cast<uint8_t>(input.poll)) return kRoutePoll;
  return choice.route == Route::kCompletion ? kRouteCompletion : kRouteReadiness;
}

// What is asked for of one connection goes before what is asked for of its listener, and that
// before what is asked for of the loop. What cannot be had is replaced: a hint never fails.
inline RouteChoice chooseRoute(const RouterInput& input, EngineHint hint,
                               ReceiveHint connection = ReceiveHint::kAuto) {
  const bool poll = connection == ReceiveHint::kAuto ? hint == EngineHint::kPoll
                                                     : connection == ReceiveHint::kPoll;
  const bool named = connection != ReceiveHint::kAuto && connection != ReceiveHint::kRing;
  const ReceiveHint receive = named ? connection : input.receive;
  if (input.uring < 0 || (poll && input.poll >= 0)) {
    return {static_cast<uint8_t>(input.poll), Route::kReadiness};
  }
  return {static_cast<uint8_t>(input.uring),
          receive == ReceiveHint::kCompletion ? Route::kCompletion : Route::kReadiness};
}

// What can be asked for, by name.
inline constexpr uint32_t kHintCount = 4;
inline constexpr const char* kHintNames[kHintCount] = {"uring", "poll", "readiness", "completion"};
enum NamedHint : uint32_t { kHintUring, kHintPoll, kHintReadiness, kHintCompletion, kNoHint };

// The hint that the choice does not follow.
inline NamedHint refusedHint(const RouterInput& input, EngineHint hint, ReceiveHint connection,
                             RouteChoice choice) {
  const RouteIndex got = routeIndex(input, choice);
  switch (connection) {
    case ReceiveHint::kReadiness:
      return got != kRouteReadiness ? kHintReadiness : kNoHint;
    case ReceiveHint::kCompletion:
      return got != kRouteCompletion ? kHintCompletion : kNoHint;
    case ReceiveHint::kPoll:
      return got != kRoutePoll ? kHintPoll : kNoHint;
    case ReceiveHint::kRing:
      return got == kRoutePoll ? kHintUring : kNoHint;
    case ReceiveHint::kAuto:
      break;
  }
  if (hint == EngineHint::kPoll) return got != kRoutePoll ? kHintPoll : kNoHint;
  return hint == EngineHint::kUring && got == kRoutePoll ? kHintUring : kNoHint;
}

}  // namespace ringpoll
