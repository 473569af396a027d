// The clock of a connection: one timer of the loop's wheel, armed for the earliest thing that can
// be due.
//
//   heartbeat  a ping after pingMs; dead after deadMs without a sign of life: given up
//   idle       idleMs without a message from the peer: closed with 1001
//   closing    closeMs from our close frame, or from the end of the handshake: closed
//
// Traffic only notes the time. A timer that fires too early is armed again.
#include <algorithm>
#include <cerrno>

#include "protocol.h"

namespace ringpoll::websocket {

namespace {

constexpr uint64_t kNever = UINT64_MAX;

// Milliseconds until `limitMs` after `sinceMs`; 0: it is over.
uint64_t left(uint32_t nowMs, uint32_t sinceMs, uint32_t limitMs) {
  const uint32_t passed = nowMs - sinceMs;
  return passed >= limitMs ? 0 : limitMs - passed;
}

uint32_t pingSince(const Connection& connection) {
  // Low words of a clock: the later of two is the one that is less far behind.
  const bool lazy = connection.settings->mode == HeartbeatMode::kLazy;
  const bool later = static_cast<int32_t>(connection.aliveMs - connection.pingMs) > 0;
  return lazy && later ? connection.aliveMs : connection.pingMs;
}

}  // namespace

// When a ping is sent that is due in so many milliseconds: together with those of other
// connections, and at most a 64th of the interval later. A turn for each ping, and another one for
// its pong, would cost more than the two themselves.
uint64_t Protocol::withOthers(uint64_t due, uint32_t pingMs) const {
  const uint64_t groups =
      std::max<uint64_t>(kPingGroupsMin, counters_.connections / kPingsPerTurnUsual);
  const uint64_t apartMs = pingMs / groups;
  if (apartMs < 2) return due;
  const uint64_t over = (nowMs_ + due) % apartMs;
  return over == 0 ? due : due + apartMs - over;
}

// kNever: nothing can be due.
uint64_t Protocol::dueIn(const Channel& channel, const Connection& connection) const {
  const Settings& settings = *connection.settings;
  const auto now = static_cast<uint32_t>(nowMs_);
  if (connection.phase == Phase::kEnding) {
    return left(now, connection.closeMs, settings.closeMs == 0 ? kEndingMs : settings.closeMs);
  }
  if (connection.phase != Phase::kOpen) {
    return settings.closeMs == 0 ? kNever : left(now, connection.closeMs, settings.closeMs);
  }
  uint64_t due = kNever;
  const bool reads = !(channel.flags & (kPaused | kProtocolPaused));
  if (settings.pingMs > 0) {
    due = withOthers(left(now, pingSince(connection), settings.pingMs), settings.pingMs);
  }
  if (settings.deadMs > 0) {
    due = std::min(
        due, reads ? left(now, connection.aliveMs, settings.deadMs) : uint64_t{settings.deadMs});
  }
  if (settings.idleMs > 0) {
    due = std::min(
        due, reads ? left(now, connection.messageMs, settings.idleMs) : uint64_t{settings.idleMs});
  }
  return due;
}

void Protocol::arm(Channel& channel, const Connection& connection) {
  const uint64_t due = dueIn(channel, connection);
  if (due == kNever) {
    transport_.cancelTimer(channel);
  } else {
    transport_.armTimer(channel, std::max<uint64_t>(due, 1));
  }
}

void Protocol::timer(Channel& channel, uint64_t nowMs) {
  Connection& connection = of(channel);
  nowMs_ = nowMs;
  if (connection.phase == Phase::kOpen) {
    openTimer(channel, connection);
  } else if (connection.phase != Phase::kLast && dueIn(channel, connection) == 0) {
    transport_.closeNow(channel);
  }
  if (channel.state == ChannelState::kOpen && connection.phase != Phase::kLast) {
    arm(channel, connection);
  }
}

void Protocol::openTimer(Channel& channel, Connection& connection) {
  const Settings& settings = *connection.settings;
  const auto now = static_cast<uint32_t>(nowMs_);
  if (channel.flags & (kPaused | kProtocolPaused)) {
    // Nobody reads what the peer sends: that is not its fault.
    connection.aliveMs = connection.messageMs = now;
  }
  if (settings.deadMs > 0 && left(now, connection.aliveMs, settings.deadMs) == 0) {
    pushClosing(channel, WsClosingCause::kDead, kAbnormal, nullptr, 0);
    transport_.giveUp(channel, ETIMEDOUT);
    return;
  }
  if (settings.idleMs > 0 && left(now, connection.messageMs, settings.idleMs) == 0) {
    pushClosing(channel, WsClosingCause::kIdle, kGoingAway, nullptr, 0);
    closeAtEndOfTurn(channel, connection, kGoingAway);
    return;
  }
  if (settings.pingMs == 0 || left(now, pingSince(connection), settings.pingMs) > 0) return;
  connection.pingMs = now;
  // A peer that does not read has a ping already, and will be dead if it goes on so.
  if (transport_.unsentBytes(channel) > kPongUnsentMax) return;
  if (!sendControl(channel, connection, Opcode::kPing, nullptr, 0)) {
    transport_.giveUp(channel, ENOMEM);
  }
}

void Protocol::readingPaused(Channel& channel, bool paused, uint64_t nowMs) {
  if (paused) return;
  Connection& connection = of(channel);
  connection.aliveMs = connection.messageMs = static_cast<uint32_t>(nowMs);
  if (connection.held != nullptr) goOnNextTurn(channel, connection);
}

}  // namespace ringpoll::websocket
