// The clock of an HTTP connection: one timer that is armed for the earliest thing that can be due.
//
//   kIdle    no request is under way: keepAliveMs behind an answer, and as long as a head may take
//            before the first request (browsers connect before they ask); then the connection is
//            closed, if nothing lies in its socket; while the server stops, stopGraceMs, or
//            stopFirstGraceMs before the first request
//   kHead    headersMs or requestMs since its first byte, readMs since its last: 408
//   kBody    requestMs since the request's first byte, readMs since its last, receiveRateMin: 408;
//            not while JavaScript has paused the connection; only requestMs while the peer waits
//            for 100 Continue
//   kLinger  our FIN is out, the peer's is not here: lingerMs, then it is closed
// and in every phase, while bytes wait to be sent: writeMs without progress, or sendRateMin, then
// it is given up. Progress is what the peer has acknowledged, not what the kernel has taken: its
// buffer may be megabytes, and it makes room by the third.
//
// A timer that fires too early is armed again; it is moved only when it would fire too late.
#include <algorithm>
#include <cerrno>

#include "server.h"

namespace ringpoll::http {

namespace {
constexpr uint64_t kLookAgainMs = 60000;  // when nothing can be due yet

uint32_t idleLimitMs(const Connection& connection) {
  const Profile& profile = *connection.profile;
  const bool first = connection.requests == 0;
  const uint32_t ofHeadMs = profile.headersMs != kNoTimeout ? profile.headersMs : profile.requestMs;
  const uint32_t limitMs = first ? ofHeadMs : profile.keepAliveMs;
  if (!profile.stopping) return limitMs;
  const uint32_t graceMs = first ? profile.stopFirstGraceMs : profile.stopGraceMs;
  return limitMs == kNoTimeout ? graceMs : std::min(graceMs, limitMs);
}
}  // namespace

Phase Server::phaseOf(const Channel& channel, const Connection& connection) const {
  switch (connection.state) {
    case State::kProxy:
      return Phase::kHead;
    case State::kHead:
      return connection.inHead() ? Phase::kHead : Phase::kIdle;
    case State::kBody:
    case State::kTrailers:
      return Phase::kBody;
    case State::kDiscard:
      return channel.flags & kWriteEnded ? Phase::kLinger : Phase::kNone;
    case State::kHolding:
    case State::kRaw:
      return Phase::kNone;
  }
  return Phase::kNone;
}

Server::Deadline Server::deadline(const Channel& channel, Connection& connection) const {
  const Profile& profile = *connection.profile;
  // Never later than a connection that becomes idle now.
  const uint32_t idleMs = idleLimitMs(connection);
  uint64_t againMs = kLookAgainMs;
  if (idleMs != kNoTimeout) againMs = std::min<uint64_t>(againMs, idleMs);
  if (profile.keepAliveMs != kNoTimeout) againMs = std::min<uint64_t>(againMs, profile.keepAliveMs);
  Deadline next{nowMs_ + againMs, Due::kNothing};
  const auto consider = [&next](uint64_t startMs, uint32_t limitMs, Due due) {
    if (limitMs == kNoTimeout || startMs + limitMs > next.atMs) return;
    next = {startMs + limitMs, due};
  };
  switch (phaseOf(channel, connection)) {
    case Phase::kIdle:
      if (connection.outstanding > 0 || !channel.allSent()) break;
      consider(connection.idleSinceMs, idleMs, Due::kIdle);
      break;
    case Phase::kHead:
      consider(connection.requestStartMs, profile.headersMs, Due::kHead);
      consider(connection.requestStartMs, profile.requestMs, Due::kBody);
      consider(connection.lastByteMs, profile.readMs, Due::kHead);
      break;
    case Phase::kBody:
      if (channel.flags & kPaused) break;
      consider(connection.requestStartMs, profile.requestMs, Due::kBody);
      // Whoever waits for 100 Continue is not late: the handler is.
      if (!connection.awaitsContinue) consider(connection.lastByteMs, profile.readMs, Due::kBody);
      if (connection.receiving.open && profile.receiveRateMin > 0) {
        consider(connection.receiving.startMs, profile.rateWindowMs, Due::kNothing);
      }
      break;
    case Phase::kLinger:
      consider(connection.lingerStartMs, profile.lingerMs, Due::kLinger);
      break;
    case Phase::kNone:
      break;
  }
  if (channel.allSent()) return next;
  consider(connection.writeStartMs, profile.writeMs, Due::kWrite);
  if (connection.sending.open && profile.sendRateMin > 0) {
    consider(connection.sending.startMs, profile.rateWindowMs, Due::kNothing);
  }
  return next;
}

// A request in the socket that nobody keeps from being read.
bool Server::hasUnread(const Channel& channel) const {
  return !(channel.flags & (kPaused | kProtocolPaused)) && transport_.unread(channel);
}

void Server::arm(Channel& channel, Connection& connection, const Deadline& deadline) {
  connection.armedForMs = deadline.atMs;
  transport_.armTimer(channel, deadline.atMs > nowMs_ ? deadline.atMs - nowMs_ : 1);
}

void Server::armEarlier(Channel& channel, Connection& connection) {
  if (connection.state == State::kRaw) return;
  const Deadline next = deadline(channel, connection);
  if (next.atMs < connection.armedForMs) arm(channel, connection, next);
}

namespace {

// True when the window is over and less has moved in it than `rateMin` asks for. Else the next one
// begins when it is time.
bool belowRate(RateWindow& window, uint64_t nowMs, uint64_t moved, uint32_t rateMin,
               uint32_t windowMs) {
  const uint64_t elapsedMs = nowMs - window.startMs;
  if (rateMin == 0 || elapsedMs < windowMs) return false;
  const uint64_t bytes = moved > window.bytes ? moved - window.bytes : 0;
  if (bytes * 1000 < uint64_t{rateMin} * elapsedMs) return true;
  window.begin(nowMs, moved);
  return false;
}

}  // namespace

// A peer that takes its bytes, or sends its body, more slowly than the profile allows.
bool Server::tooSlow(Channel& channel, Connection& connection) {
  const Profile& profile = *connection.profile;
  if (channel.allSent()) {
    connection.writeStartMs = nowMs_;
    connection.sending.open = false;
  } else {
    const uint64_t delivered = transport_.deliveredBytes(channel);
    if (delivered != connection.bytesDelivered) {
      connection.bytesDelivered = delivered;
      connection.writeStartMs = connection.idleSinceMs = nowMs_;
    }
    if (!connection.sending.open) connection.sending.begin(nowMs_, delivered);
    if (belowRate(connection.sending, nowMs_, delivered, profile.sendRateMin,
                  profile.rateWindowMs)) {
      transport_.giveUp(channel, ETIMEDOUT);
      return true;
    }
  }
  const bool owes = phaseOf(channel, connection) == Phase::kBody &&
                    !(channel.flags & (kPaused | kProtocolPaused)) && !connection.awaitsContinue;
  if (!owes) {
    connection.receiving.open = false;
  } else if (!connection.receiving.open) {
    connection.receiving.begin(nowMs_, channel.bytesRead);
  } else if (belowRate(connection.receiving, nowMs_, channel.bytesRead, profile.receiveRateMin,
                       profile.rateWindowMs)) {
    fail(channel, connection, HttpError::kRequestTimeout);
  }
  return false;
}

void Server::timer(Channel& channel, uint64_t nowMs) {
  Connection& connection = of(channel);
  if (connection.state == State::kRaw) return;
  nowMs_ = nowMs;
  if (tooSlow(channel, connection)) return;
  const Deadline next = deadline(channel, connection);
  if (nowMs < next.atMs) {
    arm(channel, connection, next);
    return;
  }
  switch (next.due) {
    case Due::kIdle:
      if (hasUnread(channel)) {
        connection.idleSinceMs = nowMs;
        break;
      }
      if (connection.requests == 0 && connection.profile->answersSilence) {
        fail(channel, connection, HttpError::kHeadersTimeout);
        break;
      }
      transport_.closeNow(channel);
      return;
    case Due::kLinger:
      transport_.closeNow(channel);
      return;
    case Due::kWrite:
      transport_.giveUp(channel, ETIMEDOUT);
      return;
    case Due::kHead:
      fail(channel, connection, HttpError::kHeadersTimeout);
      break;
    case Due::kBody:
      fail(channel, connection, HttpError::kRequestTimeout);
      break;
    case Due::kNothing:
      break;
  }
  arm(channel, connection, deadline(channel, connection));
}

void Server::sendBlocked(Channel& channel, uint64_t nowMs) {
  Connection& connection = of(channel);
  nowMs_ = nowMs;
  connection.writeStartMs = nowMs;
  if (!connection.sending.open) {
    connection.bytesDelivered = transport_.deliveredBytes(channel);
    connection.sending.begin(nowMs, connection.bytesDelivered);
    channel.flags |= kProtocolWaits;  // until everything has left
  }
  armEarlier(channel, connection);
}

void Server::finSent(Channel& channel, uint64_t nowMs) {
  Connection& connection = of(channel);
  if (connection.state == State::kRaw) return;
  nowMs_ = nowMs;
  connection.state = State::kDiscard;
  connection.lingerStartMs = nowMs;
  connection.discarded = 0;
  if (connection.readingHeld) {
    connection.readingHeld = false;
    transport_.pauseReading(channel, false);
  }
  armEarlier(channel, connection);
}

// The time that JavaScript takes is not the peer's.
void Server::readingPaused(Channel& channel, bool paused, uint64_t nowMs) {
  Connection& connection = of(channel);
  if (paused) {
    connection.pausedSinceMs = nowMs;
    return;
  }
  connection.requestStartMs += nowMs - connection.pausedSinceMs;
  connection.lastByteMs = nowMs;
  connection.receiving.begin(nowMs, channel.bytesRead);
}

}  // namespace ringpoll::http
