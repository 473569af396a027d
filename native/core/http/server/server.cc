#include "server.h"

#include <cerrno>

#include "core/base/assert.h"

namespace ringpoll::http {

Server::~Server() {
  for (BlockId block : retired_) arena_.release(block);
}

void Server::open(Channel& channel, ProtocolSettings* settings, uint64_t nowMs) {
  auto& profile = *static_cast<Profile*>(settings);
  auto* connection = new Connection(profile);
  nowMs_ = nowMs;
  connection->idleSinceMs = connection->requestStartMs = connection->lastByteMs = nowMs;
  if (!profile.proxies.empty() && profile.proxies.containsPeer(channel.fd)) {
    connection->state = State::kProxy;
  }
  channel.protocolState = connection;
  arm(channel, *connection, deadline(channel, *connection));
}

void Server::closed(Channel& channel) {
  Connection& connection = of(channel);
  for (const Piece& piece : connection.held) retired_.push_back(piece.block);
  releaseGather(connection);
  delete &connection;
  channel.protocolState = nullptr;
}

void Server::releaseGather(Connection& connection) {
  // JavaScript may read it until the turn is over.
  if (connection.gather != kNoBlock) retired_.push_back(connection.gather);
  connection.gather = kNoBlock;
  connection.gathered = 0;
}

void Server::received(Channel& channel, const ReceivedBytes& bytes, uint64_t nowMs) {
  Connection& connection = of(channel);
  nowMs_ = nowMs;
  connection.lastByteMs = nowMs;
  if (!connection.held.empty()) {
    hold(channel, connection, bytes);
    return;
  }
  if (phaseOf(channel, connection) == Phase::kIdle) connection.requestStartMs = nowMs;
  parse(channel, bytes);
  if (channel.state == ChannelState::kOpen) armEarlier(channel, connection);
}

void Server::parse(Channel& channel, Piece piece) {
  Connection& connection = of(channel);
  while (piece.length > 0) {
    bool goOn = false;
    switch (connection.state) {
      case State::kProxy:
        goOn = parseProxy(channel, connection, &piece);
        break;
      case State::kHead:
        goOn = parseHead(channel, connection, &piece);
        break;
      case State::kBody:
        goOn = parseBody(channel, connection, &piece);
        break;
      case State::kTrailers:
        goOn = parseTrailers(channel, connection, &piece);
        break;
      case State::kHolding:
        hold(channel, connection, piece);
        return;
      case State::kRaw:
        events_.push(EventKind::kData, channel, static_cast<int32_t>(arena_.slab(piece.block)),
                     piece.block, arena_.slabOffset(piece.block) + piece.offset, piece.length);
        return;
      case State::kDiscard:
        discard(channel, connection, piece.length);
        return;
    }
    if (!goOn) return;
  }
}

void Server::fail(Channel& channel, Connection& connection, HttpError error, const Piece& bytes) {
  connection.state = State::kDiscard;
  connection.into.reset();
  connection.begun = false;
  releaseGather(connection);
  for (const Piece& piece : connection.held) retired_.push_back(piece.block);
  connection.held.clear();
  if (connection.readingHeld) {
    connection.readingHeld = false;
    transport_.pauseReading(channel, false);
  }
  const bool some = bytes.length > 0;
  events_.push(EventKind::kHttpError, channel, static_cast<int32_t>(error),
               some ? arena_.slab(bytes.block) : 0,
               some ? arena_.slabOffset(bytes.block) + bytes.offset : 0, bytes.length);
}

// Read all the same: closing a socket with unread bytes would reset it, and take an answer that is
// under way with it.
void Server::discard(Channel& channel, Connection& connection, uint32_t bytes) {
  connection.discarded += bytes;
  if (connection.discarded <= connection.profile->lingerBytesMax) return;
  if (channel.flags & kWriteEnded) {
    transport_.closeNow(channel);
  } else if (!connection.readingHeld) {
    connection.readingHeld = true;
    transport_.pauseReading(channel, true);
  }
}

// A peer that asks and does not read gets no more answers than it takes.
bool Server::mustHold(Channel& channel, Connection& connection) {
  if (connection.outstanding >= kUnansweredMax) return true;
  if (channel.allSent()) return false;
  if (transport_.unsentBytes(channel) <= connection.profile->unsentMax) return false;
  channel.flags |= kProtocolWaits;
  connection.waitsForRoom = true;
  return true;
}

void Server::sendProgressed(Channel& channel) {
  Connection& connection = of(channel);
  if (channel.allSent()) {
    connection.sending.open = false;
    channel.flags &= ~kProtocolWaits;
  }
  if (!connection.waitsForRoom) return;
  if (transport_.unsentBytes(channel) > connection.profile->unsentMax / 2) return;
  connection.waitsForRoom = false;
  if (!connection.held.empty()) goOnNextTurn(channel, connection);
}

void Server::hold(Channel& channel, Connection& connection, const Piece& piece) {
  if (!holdBytes(arena_, connection.held, piece)) {
    transport_.giveUp(channel, ENOBUFS);
    return;
  }
  if (connection.readingHeld) return;
  connection.readingHeld = true;
  transport_.pauseReading(channel, true);
}

void Server::goOnNextTurn(const Channel& channel, Connection& connection) {
  if (connection.stalled) return;
  connection.stalled = true;
  stalled_.push_back(channel.token());
}

void Server::drainHeld(Channel& channel, Connection& connection) {
  std::vector<Piece> held;
  held.swap(connection.held);
  for (const Piece& piece : held) {
    retired_.push_back(piece.block);  // events that name it are still to be walked
    if (channel.state != ChannelState::kOpen) continue;
    // parse() holds the rest of a piece again when it has to stop; what follows must queue behind.
    if (connection.held.empty()) {
      parse(channel, piece);
    } else {
      hold(channel, connection, piece);
    }
  }
  if (channel.state != ChannelState::kOpen || !connection.held.empty()) return;
  if (connection.readingHeld && connection.discarded <= connection.profile->lingerBytesMax) {
    connection.readingHeld = false;
    transport_.pauseReading(channel, false);
  }
  if (connection.endHeld) pushEnd(channel, connection);
}

void Server::beginTurn(uint64_t nowMs) {
  turnBytes_ = 0;
  if (stalled_.empty()) return;
  nowMs_ = nowMs;
  std::vector<Token> stalled;
  stalled.swap(stalled_);
  for (Token token : stalled) {
    Channel* channel = transport_.channelOf(token);
    if (channel == nullptr || channel->protocol != this) continue;
    if (channel->protocolState == nullptr) continue;
    Connection& connection = of(*channel);
    connection.stalled = false;
    if (channel->state != ChannelState::kOpen) continue;
    drainHeld(*channel, connection);
    if (channel->state != ChannelState::kOpen) continue;
    armEarlier(*channel, connection);
    constexpr uint16_t waits = kTellsReadable | kReadable;
    if ((channel->engineFlags & waits) == waits) readable(*channel, nowMs);
  }
}

void Server::peerEnded(Channel& channel) {
  Connection& connection = of(channel);
  connection.into.reset();
  if (connection.held.empty()) {
    pushEnd(channel, connection);
  } else {
    connection.endHeld = true;
  }
}

void Server::pushEnd(Channel& channel, const Connection& connection) {
  const bool truncated = connection.state == State::kBody || connection.state == State::kTrailers ||
                         (connection.state == State::kHead && connection.inHead());
  events_.push(EventKind::kEnd, channel, truncated ? 1 : 0);
}

bool Server::idle(const Connection& connection) const {
  return connection.state == State::kHead && !connection.inHead() && connection.outstanding == 0 &&
         connection.held.empty();
}

void Server::endTurn() {
  headsUsed_ = 0;
  for (BlockId block : retired_) arena_.release(block);
  retired_.clear();
}

}  // namespace ringpoll::http
