#include "filter.h"

namespace ringpoll::tls {

std::unique_ptr<Filter> Filter::make(Arena& arena, EventWriter& events, FilterHost& host) {
  std::unique_ptr<Filter> filter(new Filter(arena, events, host));
  filter->wire_ = Wire::make(*filter);
  if (filter->wire_ == nullptr) return nullptr;
  return filter;
}

Filter::~Filter() {
  for (BlockId block : texts_) arena_.release(block);
  for (BlockId block : textsSeen_) arena_.release(block);
}

void Filter::open(Channel& channel, ProtocolSettings* given, uint64_t nowMs) {
  const auto& settings = *static_cast<Settings*>(given);
  auto* connection = new Connection(*this, *wire_, settings.context);
  channel.filtered = connection;
  connection->handshake->httpInside = settings.httpInside;
  connection->handshake->http2Inside = settings.http2Inside;
  connection->handshake->asksForNames = settings.asksForNames;
  connection->handshake->awaitsProxy =
      !settings.proxies.empty() && settings.proxies.containsPeer(channel.fd);
  connection->handshake->peer = remoteSocketAddress(channel.fd);
  connection->counters = settings.counters;
  count(*connection, [](Counters& all) { ++all.connections; });
  if (settings.handshakeMs > 0) host_.armFilterTimer(channel, settings.handshakeMs);
  Session& session = connection->session;
  if (settings.context->role() == Role::kServer) {
    if (!session.accept(this)) host_.giveUp(channel, ENOMEM);
    return;
  }
  if (!session.connect(this, settings.serverName, settings.verifyName, settings.resumed.get())) {
    host_.giveUp(channel, ENOMEM);
    return;
  }
  wire_->setInput(nullptr, 0);
  step(channel, *connection, nowMs);
}

void Filter::closed(Channel& channel) {
  Connection& connection = of(channel);
  if (connection.handshake != nullptr) {
    if (!connection.failed && channel.closeError != 0) {
      count(connection, [](Counters& all) { ++all.failures; });
      tell(channel, TlsFailure::kNetwork, {});
    }
    for (const ReceivedBytes& piece : connection.handshake->held) arena_.release(piece.block);
  }
  count(connection, [](Counters& all) { --all.connections; });
  delete &connection;
  channel.filtered = nullptr;
}

Session* Filter::sessionOf(const Channel& channel) const {
  if (channel.filtered == nullptr || &channel.filtered->filter != this) return nullptr;
  Connection& connection = of(channel);
  return connection.handshake == nullptr ? &connection.session : nullptr;
}

void Filter::received(Channel& channel, const ReceivedBytes& bytes, uint64_t nowMs) {
  Connection& connection = of(channel);
  // RFC 8446, section 6.1: what comes behind close_notify is ignored.
  if (connection.failed || connection.inEnded) return;
  if (connection.handshake != nullptr) {
    ReceivedBytes rest = bytes;
    if (connection.handshake->awaitsProxy && !takeProxyHeader(channel, connection, &rest)) return;
    shake(channel, connection, rest, nowMs);
    return;
  }
  wire_->setInput(arena_.data(bytes.block) + bytes.offset, bytes.length);
  decode(channel, connection, nowMs);
}

// Decrypts all that lies in the wire.
void Filter::decode(Channel& channel, Connection& connection, uint64_t nowMs) {
  writeAs(channel);
  Session& session = connection.session;
  Progress progress = Progress::kDone;
  bool goesOn = true;
  while (progress == Progress::kDone && goesOn) {
    ScratchBlock::Room room;
    if (!decoded_.room(kRecordRoomBytes, &room)) {
      host_.giveUp(channel, ENOMEM);
      return;
    }
    uint32_t bytes = 0;
    while (room.bytes - bytes >= kRecordRoomBytes) {
      size_t got = 0;
      progress = session.read(room.at + bytes, room.bytes - bytes, &got);
      if (progress != Progress::kDone) break;
      bytes += static_cast<uint32_t>(got);
      // Asking for more than there is costs as much as a short record.
      if (wire_->inputLeft() > 0 || session.holdsInput()) continue;
      progress = Progress::kNeedsBytes;
      break;
    }
    goesOn = deliver(channel, room, bytes, nowMs);
  }
  if (!goesOn) return;
  if (progress == Progress::kFailed) {
    fail(channel, connection, TlsFailure::kRecord, session.takeFailure());
  } else if (!session.behaves(nowMs)) {
    fail(channel, connection, TlsFailure::kTooManyMessages);
  } else if (progress == Progress::kEnded) {
    peerHasEnded(channel, connection);
  }
}

// False: the connection is over, or takes no bytes any more.
bool Filter::deliver(Channel& channel, const ScratchBlock::Room& room, uint32_t bytes,
                     uint64_t nowMs) {
  if (bytes > 0) {
    decoded_.commit((bytes + kReceiveAlignBytes - 1) & ~(kReceiveAlignBytes - 1));
    channel.protocol->received(channel, {room.block, room.offset, bytes}, nowMs);
  }
  return channel.state == ChannelState::kOpen && !(channel.flags & kCloseWhenSent);
}

// TLS 1.3 ends one way alone. Before it, our own close_notify has to follow at once (RFC 5246,
// section 7.2.1): behind what the handlers of this turn send.
void Filter::peerHasEnded(Channel& channel, Connection& connection) {
  connection.inEnded = true;
  if (connection.session.version() < OpenSsl::kTls13) halfClosed_.push_back(channel.token());
  host_.endReading(channel);
}

void Filter::peerEnded(Channel& channel) {
  Connection& connection = of(channel);
  if (connection.failed || connection.inEnded) return;
  if (connection.handshake == nullptr) {
    // Somebody on the way may have cut it off.
    count(connection, [](Counters& all) { ++all.truncated; });
    connection.failed = true;
    host_.giveUp(channel, kErrorTlsTruncated);
  } else if (connection.handshake->held.empty() && !connection.handshake->waitsForName) {
    fail(channel, connection, TlsFailure::kEnded);
  } else {
    connection.handshake->endHeld = true;
  }
}

void Filter::beginTurn(uint64_t nowMs) {
  steps_ = 0;
  shookNs_ = 0;
  while (!waiting_.empty() && turnHasRoom()) {
    Channel* channel = host_.channelOf(waiting_.front());
    waiting_.pop_front();
    if (channel == nullptr || channel->state != ChannelState::kOpen) continue;
    Connection& connection = of(*channel);
    if (connection.handshake == nullptr) continue;
    connection.handshake->queued = false;
    goOn(*channel, connection, nowMs);
  }
}

void Filter::endFlush() {
  marked_ = kNobody;
  encoded_.recycle();
}

void Filter::endTurn() {
  decoded_.recycle();
  for (BlockId block : textsSeen_) arena_.release(block);
  textsSeen_.clear();
  textsSeen_.swap(texts_);
  for (Token token : halfClosed_) {
    Channel* channel = host_.channelOf(token);
    if (channel == nullptr || channel->state != ChannelState::kOpen) continue;
    if (!(channel->flags & (kWriteEnding | kCloseWhenSent))) host_.endWhenSent(*channel);
  }
  halfClosed_.clear();
}

}  // namespace ringpoll::tls
