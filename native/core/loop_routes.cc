// Connections on their way from one route to another, under traffic.
//
//   settled --setRoute(), or learned--> migrating: the engine was told to let go
//      ^                                   |  what it had taken already is delivered first
//      +---- kDetach: nothing is armed <---+  (the safe point: only here engine and route change)
//
// A send under way belongs to the old engine, so a migration waits for its end; one that becomes
// necessary meanwhile waits for the end of the migration.
#include <cerrno>

#include "assert.h"
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

// Connections that nobody said anything about follow what was learned, when bytes come.
void Loop::followLearned(Channel& channel) {
  const RouteChoice choice = chooseRoute(routing_, owners_[channel.owner].hint, channel.hint);
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
  if (channel.flags & unwanted) return;
  engineOf(channel).receive(channel);
  goOn(channel);
}

// What the engine knew already must not wait for the next event.
void Loop::goOn(const Channel& channel) {
  moreReady_ = true;
  if (channel.engine != 0) secondaryReady_ = true;
}

// Once in a process, by the first loop that routes adaptively: others need no figures.
void Loop::calibrate() {
  if (!options_.adaptive || routing_.uring < 0) return;
  calibrationState_ = "switched off";
  if (!options_.calibrate) return;
  const Metrics before = metrics_;
  bool measured = false;
  calibration_ = calibratedOnce(
      [this] {
        return measureRoutes({context(), engines_, routing_, files_}, kCalibrationNsMax);
      },
      &measured);
  metrics_ = before;
  calibrationState_ = measured ? "measured by this loop" : "measured by another loop";
  for (uint32_t route = 0; route < kRouteCount; ++route) {
    for (uint32_t size = 0; size < kSizeClasses; ++size) {
      meter_.costs.of[route][size].startNs = calibration_.receiveNs[route][size];
    }
  }
}

void Loop::learn() {
  RoutePeriod period;
  if (!meter_.periodEnded(nowMs_, &period) || !options_.adaptive || routing_.uring < 0) return;
  const RouteIndex before = routing_.learned;
  routing_.learned = policy_.decide(period, meter_.costs);
  meter_.measureOften(policy_.attentive());
  if (routing_.learned != before) ++routeChanges_;
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
  report.changes = routeChanges_;
  report.calibration = calibration_;
  report.calibrationState = calibrationState_;
  report.sends = sendMeter_;
  report.adaptive = options_.adaptive && routing_.uring >= 0;
  report.exploring = policy_.exploring();
  report.reason = routing_.uring < 0 ? "there is no ring" : policy_.reason();
  report.preferred = routeIndex(routing_, chooseRoute(routing_, EngineHint::kAuto));
  return report;
}

}  // namespace ringpoll
