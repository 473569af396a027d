// The life of a client's connection, and bytes that wait.
#include "client.h"

#include <cerrno>

namespace ringpoll::http {

Client::~Client() {
  for (BlockId block : retired_) arena_.release(block);
}

void Client::adopt(Channel& channel, const ClientSettings& settings, uint64_t nowMs) {
  auto* connection = new ClientConnection(settings);
  nowMs_ = nowMs;
  connection->idleSinceMs = connection->lastByteMs = nowMs;
  channel.protocol = this;
  channel.protocolState = connection;
  setResting(*connection, true);
  arm(channel, *connection, deadline(channel, *connection));
}

void Client::setResting(ClientConnection& connection, bool resting) {
  if (connection.resting == resting) return;
  connection.resting = resting;
  resting ? ++resting_ : --resting_;
}

void Client::closed(Channel& channel) {
  ClientConnection& connection = of(channel);
  setResting(connection, false);
  dropHeld(connection);
  connection.section.retire(retired_);
  delete &connection;
  channel.protocolState = nullptr;
}

void Client::dropHeld(ClientConnection& connection) {
  // Events that name these blocks may still be walked.
  for (const ReceivedBytes& piece : connection.held) retired_.push_back(piece.block);
  connection.held.clear();
}

void Client::received(Channel& channel, const ReceivedBytes& bytes, uint64_t nowMs) {
  ClientConnection& connection = of(channel);
  nowMs_ = nowMs;
  connection.lastByteMs = nowMs;
  if (!connection.held.empty()) {
    hold(channel, connection, bytes);
    return;
  }
  parse(channel, bytes);
  if (channel.state == ChannelState::kOpen) armEarlier(channel, connection);
}

void Client::parse(Channel& channel, ReceivedBytes piece) {
  ClientConnection& connection = of(channel);
  while (piece.length > 0 && channel.state == ChannelState::kOpen) {
    bool goOn = false;
    switch (connection.state) {
      case ClientState::kHead:
        goOn = parseHead(channel, connection, &piece);
        break;
      case ClientState::kBody:
        goOn = parseBody(channel, connection, &piece);
        break;
      case ClientState::kTrailers:
        goOn = parseTrailers(channel, connection, &piece);
        break;
      case ClientState::kUntilClose:
        goOn = parseUntilClose(channel, connection, piece);
        break;
      case ClientState::kHolding:
        hold(channel, connection, piece);
        break;
      case ClientState::kRaw:
        pushBytes(EventKind::kData, channel, piece);
        break;
      case ClientState::kOver:
        break;
    }
    if (!goOn) return;
  }
}

void Client::pushBytes(EventKind kind, const Channel& channel, const ReceivedBytes& bytes) {
  events_.push(kind, channel, static_cast<int32_t>(arena_.slab(bytes.block)), bytes.block,
               arena_.slabOffset(bytes.block) + bytes.offset, bytes.length);
}

// Nothing more is parsed, and nothing more is sent.
void Client::over(Channel& channel, ClientConnection& connection) {
  connection.state = ClientState::kOver;
  connection.begun = false;
  setResting(connection, false);
  connection.section.retire(retired_);
  dropHeld(connection);
  transport_.closeNow(channel);
}

void Client::fault(Channel& channel, HttpError error) {
  events_.push(EventKind::kResponseFault, channel, static_cast<int32_t>(error));
  over(channel, of(channel));
}

void Client::hold(Channel& channel, ClientConnection& connection, const ReceivedBytes& piece) {
  if (!holdBytes(arena_, connection.held, piece)) {
    transport_.giveUp(channel, ENOBUFS);
    return;
  }
  if (connection.readingHeld) return;
  connection.readingHeld = true;
  transport_.pauseReading(channel, true);
}

void Client::goOnNextTurn(const Channel& channel, ClientConnection& connection) {
  if (connection.stalled) return;
  connection.stalled = true;
  stalled_.push_back(channel.token());
}

void Client::drainHeld(Channel& channel, ClientConnection& connection) {
  std::vector<ReceivedBytes> held;
  held.swap(connection.held);
  for (const ReceivedBytes& piece : held) {
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
  if (connection.readingHeld) {
    connection.readingHeld = false;
    transport_.pauseReading(channel, false);
  }
  if (!connection.endHeld) return;
  connection.endHeld = false;
  endReceiving(channel, connection);
}

void Client::beginTurn(uint64_t nowMs) {
  if (stalled_.empty()) return;
  nowMs_ = nowMs;
  std::vector<Token> stalled;
  stalled.swap(stalled_);
  for (Token token : stalled) {
    Channel* channel = transport_.channelOf(token);
    if (channel == nullptr || channel->protocol != this) continue;
    if (channel->protocolState == nullptr) continue;
    ClientConnection& connection = of(*channel);
    connection.stalled = false;
    if (channel->state != ChannelState::kOpen) continue;
    drainHeld(*channel, connection);
    if (channel->state == ChannelState::kOpen) armEarlier(*channel, connection);
  }
}

void Client::peerEnded(Channel& channel) {
  ClientConnection& connection = of(channel);
  const bool waits = !connection.held.empty() || connection.state == ClientState::kHolding;
  if (waits) {
    connection.endHeld = true;
  } else {
    endReceiving(channel, connection);
  }
}

void Client::endReceiving(Channel& channel, ClientConnection& connection) {
  switch (connection.state) {
    case ClientState::kHead:
      if (connection.asks.empty()) {
        over(channel, connection);
      } else {
        fault(channel,
              connection.inHead() ? ResponseError::kTruncated : ResponseError::kNoResponse);
      }
      break;
    case ClientState::kUntilClose:
      responseDone(channel, connection);
      break;
    case ClientState::kBody:
    case ClientState::kTrailers:
      fault(channel, ResponseError::kTruncated);
      break;
    case ClientState::kHolding:
      connection.endHeld = true;
      break;
    case ClientState::kRaw:
      events_.push(EventKind::kEnd, channel);
      break;
    case ClientState::kOver:
      break;
  }
}

void Client::endTurn() {
  headsUsed_ = 0;
  for (BlockId block : retired_) arena_.release(block);
  retired_.clear();
}

}  // namespace ringpoll::http
