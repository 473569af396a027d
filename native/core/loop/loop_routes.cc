// Connections on their way from one route to another, under traffic.
//
//   settled ------ setRoute() ---------> migrating: the engine was told to let go
//      ^                                   |  what it had taken already is delivered first
//      +---- kDetach: nothing is armed <---+  (the safe point: only here engine and route change)
//
// A send under way belongs to the old engine, so a migration waits for its end; one that becomes
// necessary meanwhile waits for the end of the migration.
#include <cerrno>

#include "core/base/assert.h"
#include "loop.h"

namespace ringpoll {

// A connection is new.
void Loop::place(Channel& channel, EngineHint hint) {
  const RouteChoice choice = chooseRoute(routing_, hint);
  ++meter_.refusals[refusedWish(routing_, hint, ReceiveHint::kAuto, choice)];
  channel.engine = channel.nextEngine = choice.engine;
  channel.route = channel.nextRoute = choice.route;
  channel.hint = ReceiveHint::kAuto;
  ++meter_.stats[routeOf(channel)].chosen;
}

RouteIndex Loop::routeOf(const Channel& channel) const {
  return routeIndex(routing_, {channel.engine, channel.route});
}

void Loop::setRoute(Channel& channel, ReceiveHint hint) {
  channel.hint = hint;
  const EngineHint owners = owners_[channel.owner].hint;
  const RouteChoice choice = chooseRoute(routing_, owners, hint);
  ++meter_.refusals[refusedWish(routing_, owners, hint, choice)];
  channel.nextEngine = choice.engine;
  channel.nextRoute = choice.route;
  migrateIfDue(channel);
}

void Loop::migrateIfDue(Channel& channel) {
  if (channel.nextEngine == channel.engine && channel.nextRoute == channel.route) return;
  if (channel.state != ChannelState::kOpen) return;
  if (channel.flags & (kMigrating | kSending | kReadEnded | kCloseWhenSent)) return;
  channel.flags |= kMigrating;
  engineOf(channel).detach(channel);
}

void Loop::onDetach(Channel& channel) {
  channel.flags &= ~kMigrating;
  if (channel.state != ChannelState::kOpen) return;
  const uint8_t left = channel.engine;
  channel.engine = channel.nextEngine;
  channel.route = channel.nextRoute;
  int attached = engineOf(channel).attach(channel);
  if (attached != 0 && left != channel.engine) {
    ++meter_.refusals[routeOf(channel) == kRoutePoll ? kWishPoll : kWishUring];
    channel.engine = channel.nextEngine = left;
    attached = engineOf(channel).attach(channel);
  }
  if (attached != 0) {
    fail(channel, -attached, Syscall::kRead);
    return;
  }
  ++meter_.stats[routeOf(channel)].migrations;
  if (channel.flags & kSendDeferred) {
    channel.flags &= ~kSendDeferred;
    engineOf(channel).send(channel);
  }
  receiveIfWanted(channel);
}

void Loop::receiveIfWanted(Channel& channel) {
  constexpr uint16_t unwanted =
      kPaused | kProtocolPaused | kReadEnded | kCloseWhenSent | kMigrating;
  if (channel.flags & unwanted) {
    // Not read, but a hang-up is heard.
    if (!(channel.flags & kMigrating)) engineOf(channel).pauseReceive(channel);
    return;
  }
  engineOf(channel).receive(channel);
  goOn(channel);
}

// What the engine knew already must not wait for the next event.
void Loop::goOn(const Channel& channel) {
  moreReady_ = true;
  if (channel.engine != 0) secondaryReady_ = true;
}

RoutingReport Loop::routing() {
  RoutingReport report;
  for (uint32_t i = 0; i < kRouteCount; ++i) {
    report.stats[i] = meter_.stats[i];
    report.available[i] = i == kRoutePoll ? routing_.poll >= 0 : routing_.uring >= 0;
  }
  channels_.forEach([&](const Channel& channel) {
    if (channel.type == ChannelType::kConnection) ++report.connections[routeOf(channel)];
  });
  report.costs = meter_.costs;
  for (uint32_t i = 0; i < kWishCount; ++i) report.refusals[i] = meter_.refusals[i];
  report.sends = sendMeter_;
  report.reason =
      routing_.uring < 0 ? "there is no ring" : "readiness is the cheapest nearly everywhere";
  report.preferred = routeIndex(routing_, chooseRoute(routing_, EngineHint::kAuto));
  return report;
}

}  // namespace ringpoll
