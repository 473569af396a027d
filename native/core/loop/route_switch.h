// By which route each connection receives, and its way from one to another under traffic.
//
//   settled ------ setRoute() ---------> migrating: the engine was told to let go
//      ^                                   |  what it had taken already is delivered first
//      +---- kDetach: nothing is armed <---+  (the safe point: only here engine and route change)
//
// A send under way belongs to the old engine, so a migration waits for its end; one that becomes
// necessary meanwhile waits for the end of the migration.
#pragma once

#include "core/routing/route_meter.h"
#include "core/routing/router.h"
#include "loop_state.h"

namespace ringpoll {

// What explain() tells.
struct RoutingReport {
  RouteStats stats[kRouteCount];
  bool available[kRouteCount] = {};
  uint32_t connections[kRouteCount] = {};
  RouteCosts costs;
  uint64_t refusals[kHintCount] = {};
  RouteIndex preferred = kRouteReadiness;
  const char* reason = "";
};

class RouteSwitch {
 public:
  RouteSwitch(LoopState& state, ChannelEnds& ends, LoopClock* clock, ReceiveHint receive)
      : state_(state), ends_(ends), meter_(clock) {
    input_.receive = receive;
  }

  // Which engines there are: where start() notes their numbers.
  RouterInput& input() { return input_; }
  // The engine of a listener.
  uint8_t engineFor(EngineHint hint) const { return chooseRoute(input_, hint).engine; }
  // A connection is new.
  void place(Channel& channel, EngineHint hint);
  // `endpointHint` is what was asked for of its endpoint.
  void setRoute(Channel& channel, EngineHint endpointHint, ReceiveHint hint);
  void migrateIfDue(Channel& channel);
  void onDetach(Channel& channel);
  // No engine has it: goes on by the route that comes next. False: it is over.
  bool attachAgain(Channel& channel);
  void receiveIfWanted(Channel& channel);

  void beginTurn() { meter_.beginTurn(); }
  void received(const Channel& channel, uint32_t bytes) {
    meter_.received(routeOf(channel), bytes);
  }
  void endTurn() { meter_.endTurn(); }
  RouteIndex routeOf(const Channel& channel) const {
    return routeIndex(input_, {channel.engine, channel.route});
  }
  RoutingReport report();

 private:
  LoopState& state_;
  ChannelEnds& ends_;
  RouterInput input_;
  RouteMeter meter_;
};

}  // namespace ringpoll
