#include "route_switch.h"

namespace ringpoll {

void RouteSwitch::place(Channel& channel, EngineHint hint) {
  const RouteChoice choice = chooseRoute(input_, hint);
  ++meter_.refusals[refusedHint(input_, hint, ReceiveHint::kAuto, choice)];
  channel.engine = channel.nextEngine = choice.engine;
  channel.route = channel.nextRoute = choice.route;
  channel.hint = ReceiveHint::kAuto;
  ++meter_.stats[routeOf(channel)].chosen;
}

void RouteSwitch::setRoute(Channel& channel, EngineHint endpointHint, ReceiveHint hint) {
  channel.hint = hint;
  const RouteChoice choice = chooseRoute(input_, endpointHint, hint);
  ++meter_.refusals[refusedHint(input_, endpointHint, hint, choice)];
  channel.nextEngine = choice.engine;
  channel.nextRoute = choice.route;
  migrateIfDue(channel);
}

void RouteSwitch::migrateIfDue(Channel& channel) {
  if (channel.nextEngine == channel.engine && channel.nextRoute == channel.route) return;
  if (channel.state != ChannelState::kOpen) return;
  if (channel.flags & (kMigrating | kSending | kReadEnded | kCloseWhenSent)) return;
  channel.flags |= kMigrating;
  state_.engineOf(channel).detach(channel);
}

void RouteSwitch::onDetach(Channel& channel) {
  if (channel.state == ChannelState::kOpen && (channel.lifeFlags & kLeaving)) {
    state_.events.push(EventKind::kLeft, channel);
    return;
  }
  if (attachAgain(channel)) ++meter_.stats[routeOf(channel)].migrations;
}

bool RouteSwitch::attachAgain(Channel& channel) {
  channel.flags &= ~kMigrating;
  if (channel.state != ChannelState::kOpen) return false;
  const uint8_t left = channel.engine;
  channel.engine = channel.nextEngine;
  channel.route = channel.nextRoute;
  int attached = state_.engineOf(channel).attach(channel);
  if (attached != 0 && left != channel.engine) {
    ++meter_.refusals[routeOf(channel) == kRoutePoll ? kHintPoll : kHintUring];
    channel.engine = channel.nextEngine = left;
    attached = state_.engineOf(channel).attach(channel);
  }
  if (attached != 0) {
    ends_.fail(channel, -attached, Syscall::kRead);
    return false;
  }
  if (channel.flags & kSendDeferred) {
    channel.flags &= ~kSendDeferred;
    state_.engineOf(channel).send(channel);
  }
  receiveIfWanted(channel);
  return true;
}

void RouteSwitch::receiveIfWanted(Channel& channel) {
  constexpr uint16_t unwanted =
      kPaused | kProtocolPaused | kReadEnded | kCloseWhenSent | kMigrating;
  if (channel.flags & unwanted) {
    // Not read, but a hang-up is heard.
    if (!(channel.flags & kMigrating)) state_.engineOf(channel).pauseReceive(channel);
    return;
  }
  state_.engineOf(channel).receive(channel);
  state_.requestAnotherTurn(channel);
}

RoutingReport RouteSwitch::report() {
  RoutingReport report;
  for (uint32_t i = 0; i < kRouteCount; ++i) {
    report.stats[i] = meter_.stats[i];
    report.available[i] = i == kRoutePoll ? input_.poll >= 0 : input_.uring >= 0;
  }
  state_.channels.forEach([&](const Channel& channel) {
    if (channel.type == ChannelType::kConnection) ++report.connections[routeOf(channel)];
  });
  report.costs = meter_.costs;
  for (uint32_t i = 0; i < kHintCount; ++i) report.refusals[i] = meter_.refusals[i];
  report.reason =
      input_.uring < 0 ? "there is no ring" : "readiness is the cheapest nearly everywhere";
  report.preferred = routeIndex(input_, chooseRoute(input_, EngineHint::kAuto));
  return report;
}

}  // namespace ringpoll
