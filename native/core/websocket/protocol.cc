#include "protocol.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/assert.h"

namespace ringpoll::websocket {

Protocol::~Protocol() {
  for (BlockId block : retired_) arena_.release(block);
  for (BlockId block : lent_) arena_.release(block);
}

const Settings* Protocol::share(const Settings& settings) {
  for (auto& shared : settings_) {
    if (!(shared->settings == settings)) continue;
    ++shared->users;
    return &shared->settings;
  }
  settings_.push_back(std::make_unique<SharedSettings>(SharedSettings{settings, 1}));
  return &settings_.back()->settings;
}

void Protocol::unshare(const Settings* settings) {
  const auto at = std::find_if(settings_.begin(), settings_.end(), [settings](const auto& shared) {
    return &shared->settings == settings;
  });
  RP_ASSERT(at != settings_.end());
  if (--(*at)->users == 0) settings_.erase(at);
}

FrameLimits Protocol::limitsOf(const Settings& settings) const {
  FrameLimits limits;
  limits.role = settings.role;
  limits.compression = settings.deflate.on;
  limits.messageBytesMax = settings.maxPayload;
  // What cannot be compressed grows a little. What comes out of it is bounded by maxPayload.
  limits.compressedBytesMax = uint64_t{settings.maxPayload} + settings.maxPayload / 16 + 1024;
  return limits;
}

void Protocol::accept(Channel& channel, const Settings& settings,
                      std::vector<ReceivedBytes> received, bool ended, uint64_t nowMs) {
  nowMs_ = nowMs;
  auto* connection = new Connection(*share(settings));
  connection->aliveMs = connection->messageMs = connection->pingMs = static_cast<uint32_t>(nowMs);
  channel.protocol = this;
  channel.protocolState = connection;
  channel.flags &= ~kProtocolWaits;
  ++counters_.connections;
  if (!received.empty() || ended) {
    connection->held = std::make_unique<Held>(Held{std::move(received), ended});
    connection->readingHeld = true;
    transport_.pauseReading(channel, true);
    goOnNextTurn(channel, *connection);
  } else if (channel.flags & kProtocolPaused) {
    transport_.pauseReading(channel, false);
  }
  arm(channel, *connection);
}

bool Protocol::feed(Channel& channel, const uint8_t* data, size_t length) {
  Connection& connection = of(channel);
  while (length > 0) {
    const auto bytes = static_cast<uint32_t>(std::min<size_t>(length, kBlockBytesMax));
    const BlockId block = arena_.lease(bytes);
    if (block == kNoBlock) return false;
    std::memcpy(arena_.data(block), data, bytes);
    if (connection.held == nullptr) connection.held = std::make_unique<Held>();
    connection.held->pieces.push_back({block, 0, bytes});
    data += bytes;
    length -= bytes;
  }
  if (connection.held == nullptr) return true;
  if (!connection.readingHeld) {
    connection.readingHeld = true;
    transport_.pauseReading(channel, true);
  }
  goOnNextTurn(channel, connection);
  return true;
}

void Protocol::closed(Channel& channel) {
  Connection& connection = of(channel);
  topics_.leaveAll(connection);
  if (connection.held != nullptr) {
    for (const ReceivedBytes& piece : connection.held->pieces) retired_.push_back(piece.block);
  }
  retireGather(connection);
  unshare(connection.settings);
  delete &connection;
  channel.protocolState = nullptr;
  --counters_.connections;
}

void Protocol::received(Channel& channel, const ReceivedBytes& bytes, uint64_t nowMs) {
  Connection& connection = of(channel);
  nowMs_ = nowMs;
  if (connection.settings->mode != HeartbeatMode::kAck) {
    connection.aliveMs = static_cast<uint32_t>(nowMs);
  }
  if (connection.held != nullptr) {
    hold(channel, connection, bytes);
    return;
  }
  parse(channel, connection, bytes);
}

// False: the connection has had its share of the turn.
bool Protocol::budgetLeft(Connection& connection) {
  if (connection.turn != turn_) {
    connection.turn = turn_;
    connection.framesInTurn = 0;
    connection.inflatedInTurn = 0;
  }
  return connection.framesInTurn < kFramesPerTurnMax &&
         connection.inflatedInTurn < kInflatedPerTurnMax;
}

void Protocol::parse(Channel& channel, Connection& connection, ReceivedBytes piece) {
  const FrameLimits limits = limitsOf(*connection.settings);
  while (connection.phase <= Phase::kClosing) {
    if (piece.length > 0 && !budgetLeft(connection)) {
      hold(channel, connection, piece);
      if (channel.state == ChannelState::kOpen) goOnNextTurn(channel, connection);
      return;
    }
    uint8_t* const data = arena_.data(piece.block) + piece.offset;
    const FrameStep step = connection.parser.next(data, piece.length, limits);
    if (step.frameBegins) {
      ++counters_.frames;
      ++connection.framesInTurn;
    }
    const ReceivedBytes at{piece.block, piece.offset + step.offset, step.length};
    piece.offset += step.consumed;
    piece.length -= step.consumed;
    switch (step.kind) {
      case FrameKind::kNeedMore:
        return;
      case FrameKind::kError:
        violated(channel, connection, step.error);
        break;
      case FrameKind::kControl:
        takeControl(channel, connection, step);
        break;
      case FrameKind::kData:
        takeData(channel, connection, step, at);
        break;
    }
    if (channel.state != ChannelState::kOpen) return;
    if (piece.length == 0) return;
  }
  // Read all the same: closing a socket with unread bytes would reset it, and take what is under
  // way to the peer with it.
  connection.discarded += piece.length;
  if (connection.discarded > kDiscardedBytesMax) transport_.closeNow(channel);
}

void Protocol::hold(Channel& channel, Connection& connection, const ReceivedBytes& piece) {
  if (connection.held == nullptr) connection.held = std::make_unique<Held>();
  if (!holdBytes(arena_, connection.held->pieces, piece)) {
    transport_.giveUp(channel, ENOBUFS);
    return;
  }
  if (connection.readingHeld) return;
  connection.readingHeld = true;
  transport_.pauseReading(channel, true);
}

void Protocol::goOnNextTurn(const Channel& channel, Connection& connection) {
  if (connection.stalled) return;
  connection.stalled = true;
  stalled_.push_back(channel.token());
}

void Protocol::drainHeld(Channel& channel, Connection& connection) {
  if (connection.held == nullptr || (channel.flags & kPaused)) return;
  const std::unique_ptr<Held> held(connection.held.release());
  for (const ReceivedBytes& piece : held->pieces) {
    retired_.push_back(piece.block);  // events that name it are still to be walked
    if (channel.state != ChannelState::kOpen) continue;
    // parse() holds the rest of a piece again when it has to stop; what follows must queue behind.
    if (connection.held == nullptr) {
      parse(channel, connection, piece);
    } else {
      hold(channel, connection, piece);
    }
  }
  if (channel.state != ChannelState::kOpen) return;
  if (connection.held != nullptr) {
    connection.held->ended = held->ended;
    return;
  }
  if (connection.readingHeld) {
    connection.readingHeld = false;
    transport_.pauseReading(channel, false);
  }
  if (held->ended) end(channel, connection);
}

void Protocol::beginTurn(uint64_t nowMs) {
  ++turn_;
  if (stalled_.empty()) return;
  nowMs_ = nowMs;
  std::vector<Token> stalled;
  stalled.swap(stalled_);
  for (const Token token : stalled) {
    Channel* channel = transport_.channelOf(token);
    if (channel == nullptr || channel->protocol != this) continue;
    Connection& connection = of(*channel);
    connection.stalled = false;
    if (channel->state == ChannelState::kOpen) drainHeld(*channel, connection);
  }
}

void Protocol::peerEnded(Channel& channel) {
  Connection& connection = of(channel);
  if (connection.held != nullptr) {
    connection.held->ended = true;
  } else {
    end(channel, connection);
  }
}

// The peer sends nothing more. Without a close frame that is no closing in order, but what the
// handlers of this turn answer still leaves.
void Protocol::end(Channel& channel, Connection& connection) {
  if (connection.phase == Phase::kEnding) {
    transport_.endWhenSent(channel);
  } else if (connection.phase != Phase::kLast) {
    closeAtEndOfTurn(channel, connection, 0);
  }
}

void Protocol::endFlush() {
  publishedBytes_ = 0;
  for (BlockId block : lent_) arena_.release(block);
  lent_.clear();
  flushBytes_.recycle();
}

void Protocol::endTurn() {
  std::vector<Token> closing;
  closing.swap(closing_);
  for (const Token token : closing) {
    Channel* channel = transport_.channelOf(token);
    if (channel == nullptr || channel->protocol != this) continue;
    if (channel->state != ChannelState::kOpen) continue;
    Connection& connection = of(*channel);
    connection.phase = Phase::kEnding;
    connection.closeMs = static_cast<uint32_t>(nowMs_);
    channel->flags &= ~kCorked;
    if (connection.closeCode != 0) sendClose(*channel, connection, connection.closeCode);
    // Of two that have closed in order the server ends the connection (RFC 6455, section 7.1.1).
    const bool inOrder = connection.peerClosed && connection.closeSent;
    const bool waits =
        connection.settings->role == Role::kClient && inOrder && !(channel->flags & kReadEnded);
    if (!waits) transport_.endWhenSent(*channel);
    arm(*channel, connection);
  }
  for (BlockId block : retired_) arena_.release(block);
  retired_.clear();
  turnBytes_.recycle();
}

}  // namespace ringpoll::websocket
