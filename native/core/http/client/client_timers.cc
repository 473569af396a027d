// The clock of a client's connection: one timer that is armed for the earliest thing that can be
// due.
//
//   no request is under way   keepAliveMs since the last response: the connection is closed
//   a head is due             headMs since the request was sent
//   a body is due             bodyMs since its last byte, not while JavaScript has paused it
//   bytes wait to be sent     writeMs since the peer has acknowledged one
//
// A timer that fires too early is armed again; it is moved only when it would fire too late.
#include <algorithm>
#include <cerrno>

#include "client.h"

namespace ringpoll::http {

namespace {
constexpr uint64_t kLookAgainMs = 60000;  // when nothing can be due yet
}

Client::Deadline Client::deadline(const Channel& channel,
                                  const ClientConnection& connection) const {
  Deadline next{nowMs_ + kLookAgainMs, Due::kNothing};
  const auto consider = [&next](uint64_t startMs, uint32_t limitMs, Due due) {
    if (limitMs == 0 || startMs + limitMs > next.atMs) return;
    next = {startMs + limitMs, due};
  };
  switch (connection.state) {
    case ClientState::kHead:
      if (connection.asks.empty()) {
        consider(connection.idleSinceMs, connection.settings.keepAliveMs, Due::kIdle);
      } else if (const Ask& ask = connection.asks.front(); !ask.sending) {
        consider(ask.startMs, ask.headMs, Due::kHead);
      }
      break;
    case ClientState::kBody:
    case ClientState::kTrailers:
    case ClientState::kUntilClose:
      if (channel.flags & (kPaused | kProtocolPaused)) break;
      consider(connection.lastByteMs, connection.asks.front().bodyMs, Due::kBody);
      break;
    case ClientState::kHolding:  // the time that JavaScript has to take the tunnel
      consider(connection.lastByteMs, connection.asks.front().bodyMs, Due::kBody);
      break;
    case ClientState::kRaw:
    case ClientState::kOver:
      break;
  }
  if (!channel.allSent()) {
    consider(connection.writeStartMs, connection.settings.writeMs, Due::kWrite);
  }
  return next;
}

void Client::arm(Channel& channel, ClientConnection& connection, const Deadline& deadline) {
  connection.armedForMs = deadline.atMs;
  transport_.armTimer(channel, deadline.atMs > nowMs_ ? deadline.atMs - nowMs_ : 1);
}

void Client::armEarlier(Channel& channel, ClientConnection& connection) {
  if (connection.state == ClientState::kRaw || connection.state == ClientState::kOver) return;
  const Deadline next = deadline(channel, connection);
  if (next.atMs < connection.armedForMs) arm(channel, connection, next);
}

void Client::timer(Channel& channel, uint64_t nowMs) {
  ClientConnection& connection = of(channel);
  if (connection.state == ClientState::kRaw || connection.state == ClientState::kOver) return;
  nowMs_ = nowMs;
  if (!channel.allSent()) {
    const uint64_t delivered = transport_.deliveredBytes(channel);
    if (delivered != connection.bytesDelivered) {
      connection.bytesDelivered = delivered;
      connection.writeStartMs = nowMs;
    }
  }
  const Deadline next = deadline(channel, connection);
  if (nowMs < next.atMs) {
    arm(channel, connection, next);
    return;
  }
  switch (next.due) {
    case Due::kNothing:
      break;
    case Due::kIdle:
      over(channel, connection);
      return;
    case Due::kHead:
      fault(channel, ResponseError::kHeadTimeout);
      return;
    case Due::kBody:
      fault(channel, ResponseError::kBodyTimeout);
      return;
    case Due::kWrite:
      fault(channel, ResponseError::kWriteTimeout);
      return;
  }
  arm(channel, connection, deadline(channel, connection));
}

void Client::sendBlocked(Channel& channel, uint64_t nowMs) {
  ClientConnection& connection = of(channel);
  nowMs_ = nowMs;
  connection.writeStartMs = nowMs;
  connection.bytesDelivered = transport_.deliveredBytes(channel);
  armEarlier(channel, connection);
}

// The time that JavaScript takes is not the peer's.
void Client::readingPaused(Channel& channel, bool paused, uint64_t nowMs) {
  if (paused) return;
  ClientConnection& connection = of(channel);
  nowMs_ = nowMs;
  connection.lastByteMs = nowMs;
  armEarlier(channel, connection);
}

}  // namespace ringpoll::http
