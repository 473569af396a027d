// Handshakes: their turns, what JavaScript is asked meanwhile, and what is no TLS at all.
#include <cstring>
#include <utility>

#include "core/base/clock.h"
#include "filter.h"

namespace ringpoll::tls {

namespace {

constexpr uint8_t kHandshakeRecordType = 22;
constexpr std::string_view kPlainHttpAnswer =
    "HTTP/1.1 400 Bad Request\r\n"
    "Connection: close\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 57\r\n"
    "\r\n"
    "This port speaks HTTPS. The request came over plain HTTP.";

}  // namespace

// A step is 60 us or 1 ms by the key and the processor, so their number alone says little.
bool Filter::turnHasRoom() const {
  return steps_ < kHandshakeStepsPerTurn && shookNs_ < kHandshakeNsPerTurn;
}

bool Filter::mayShake(const Handshake& handshake) const {
  return handshake.held.empty() && !handshake.waitsForName && !handshake.queued && turnHasRoom();
}

void Filter::shake(Channel& channel, Connection& connection, const ReceivedBytes& bytes,
                   uint64_t nowMs) {
  Handshake& handshake = *connection.handshake;
  const bool first = handshake.bytes == 0;
  handshake.bytes += bytes.length;
  if (first && isForeign(channel, connection, bytes)) return;
  if (!mayShake(handshake)) {
    const bool deferred = handshake.held.empty() && !handshake.waitsForName;
    if (deferred) count(connection, [](Counters& all) { ++all.deferred; });
    hold(channel, handshake, bytes);
    if (!handshake.waitsForName) queue(channel, handshake);
    return;
  }
  handshake.used += bytes.length;
  wire_->setInput(arena_.data(bytes.block) + bytes.offset, bytes.length);
  step(channel, connection, nowMs);
  if (connection.handshake == nullptr || connection.failed) return;
  if (wire_->inputLeft() > 0) {
    const auto left = static_cast<uint32_t>(wire_->inputLeft());
    hold(channel, handshake, {bytes.block, bytes.offset + bytes.length - left, left});
  } else if (handshake.bytes > kHandshakeBytesMax) {
    fail(channel, connection, TlsFailure::kTooLong);
  }
}

// One call of the handshake, with what lies in the wire.
void Filter::step(Channel& channel, Connection& connection, uint64_t nowMs) {
  writeAs(channel);
  const uint64_t written = wire_->written();
  const uint64_t from = monotonicNs();
  const Progress progress = connection.session.handshake();
  shookNs_ += monotonicNs() - from;
  if (wire_->written() != written || progress == Progress::kDone) ++steps_;
  switch (progress) {
    case Progress::kNeedsBytes:
      break;
    case Progress::kWaits:
      connection.handshake->waitsForName = true;
      break;
    case Progress::kDone:
      complete(channel, connection, nowMs);
      break;
    case Progress::kEnded:
    case Progress::kFailed:
      fail(channel, connection,
           connection.handshake->nameRefused ? TlsFailure::kServerName : TlsFailure::kHandshake,
           connection.session.takeFailure());
      break;
  }
}

void Filter::complete(Channel& channel, Connection& connection, uint64_t nowMs) {
  Session& session = connection.session;
  session.takeOver();
  const int version = session.version();
  const bool resumed = session.resumed();
  count(connection, [version, resumed](Counters& all) {
    ++all.handshakes;
    if (version >= OpenSsl::kTls13) ++all.handshakes13;
    if (version == OpenSsl::kTls12) ++all.handshakes12;
    if (resumed) ++all.resumed;
  });
  const std::unique_ptr<Handshake> handshake = std::exchange(connection.handshake, nullptr);
  const uint8_t* rest = wire_->input();
  const size_t restBytes = wire_->inputLeft();
  if (handshake->readingHeld) host_.pauseReading(channel, false);
  if (handshake->http2Inside && session.alpn() == "h2") {
    host_.announceRaw(channel);
    events_.push(EventKind::kTlsHttp2, channel);
  } else {
    host_.announce(channel);
  }
  wire_->setInput(rest, restBytes);
  if (channel.state == ChannelState::kOpen) decode(channel, connection, nowMs);
  for (const ReceivedBytes& piece : handshake->held) {
    if (channel.state == ChannelState::kOpen) received(channel, piece, nowMs);
    arena_.release(piece.block);
  }
  if (handshake->endHeld && channel.state == ChannelState::kOpen) peerEnded(channel);
}

// The bytes stay, and no more are read meanwhile.
void Filter::hold(Channel& channel, Handshake& handshake, const ReceivedBytes& bytes) {
  const BlockId copy = arena_.lease(bytes.length);
  if (copy == kNoBlock) {
    host_.giveUp(channel, ENOMEM);
    return;
  }
  std::memcpy(arena_.data(copy), arena_.data(bytes.block) + bytes.offset, bytes.length);
  handshake.held.push_back({copy, 0, bytes.length});
  if (handshake.readingHeld) return;
  handshake.readingHeld = true;
  host_.pauseReading(channel, true);
}

void Filter::queue(const Channel& channel, Handshake& handshake) {
  if (handshake.queued) return;
  handshake.queued = true;
  waiting_.push_back(channel.token());
}

// What was held, piece by piece.
void Filter::goOn(Channel& channel, Connection& connection, uint64_t nowMs) {
  Handshake& handshake = *connection.handshake;
  if (handshake.nameAnswered && handshake.waitsForName) {
    handshake.waitsForName = false;
    wire_->setInput(nullptr, 0);
    step(channel, connection, nowMs);
  }
  while (connection.handshake != nullptr && !connection.failed && !handshake.held.empty()) {
    if (handshake.waitsForName) return;
    if (!turnHasRoom()) {
      queue(channel, handshake);
      return;
    }
    const ReceivedBytes piece = handshake.held.front();
    handshake.held.erase(handshake.held.begin());
    wire_->setInput(arena_.data(piece.block), piece.length);
    step(channel, connection, nowMs);
    const bool goesOn = connection.handshake != nullptr && !connection.failed;
    // Of what was held all may have come behind the end of the handshake: so only what it has used.
    const auto left = static_cast<uint32_t>(wire_->inputLeft());
    if (goesOn && (handshake.used += piece.length - left) > kHandshakeBytesMax) {
      arena_.release(piece.block);
      fail(channel, connection, TlsFailure::kTooLong);
      return;
    }
    if (goesOn && left > 0) {
      handshake.held.insert(handshake.held.begin(), {piece.block, piece.length - left, left});
      return;
    }
    arena_.release(piece.block);
  }
  if (connection.handshake == nullptr || connection.failed) return;
  if (handshake.readingHeld && !handshake.waitsForName) {
    handshake.readingHeld = false;
    host_.pauseReading(channel, false);
  }
  if (handshake.endHeld && !handshake.waitsForName) {
    fail(channel, connection, TlsFailure::kEnded);
  } else if (handshake.bytes > kHandshakeBytesMax) {
    fail(channel, connection, TlsFailure::kTooLong);
  }
}

// A peer that does not begin as TLS does deserves an answer that it understands.
bool Filter::isForeign(Channel& channel, Connection& connection, const ReceivedBytes& bytes) {
  const uint8_t first = arena_.data(bytes.block)[bytes.offset];
  if (first == kHandshakeRecordType) return false;
  const bool server = connection.session.context()->role() == Role::kServer;
  const bool http = server && first >= 'A' && first <= 'Z';
  if (http && connection.handshake->httpInside) {
    writeAs(channel);
    write(reinterpret_cast<const uint8_t*>(kPlainHttpAnswer.data()), kPlainHttpAnswer.size());
  }
  fail(channel, connection, http ? TlsFailure::kPlainHttp : TlsFailure::kNotTls);
  return true;
}

Filter::Named Filter::serverName(const std::string& name) {
  Handshake& handshake = *of(*writer_).handshake;
  if (!handshake.asksForNames) return Named::kGoOn;
  if (handshake.nameAnswered) return handshake.nameRefused ? Named::kRefuse : Named::kGoOn;
  pushText(EventKind::kTlsServerName, *writer_, name, 0);
  return Named::kWait;
}

void Filter::nameAnswered(Channel& channel, std::shared_ptr<const Context> context, bool refused) {
  if (channel.filtered == nullptr || &channel.filtered->filter != this) return;
  Connection& connection = of(channel);
  if (connection.handshake == nullptr || connection.handshake->nameAnswered) return;
  connection.handshake->nameAnswered = true;
  connection.handshake->nameRefused = refused;
  if (context != nullptr) {
    context->use(connection.session.handle());
    connection.named = std::move(context);
  }
  queue(channel, *connection.handshake);
}

// A client's, as JavaScript keeps it.
void Filter::sessionCame(OwnedSession session) {
  const int bytes = api_.i2d_SSL_SESSION(session.get(), nullptr);
  if (bytes <= 0 || static_cast<uint32_t>(bytes) > kBlockBytesMax) return;
  std::string text(static_cast<size_t>(bytes), 0);
  auto* into = reinterpret_cast<unsigned char*>(text.data());
  api_.i2d_SSL_SESSION(session.get(), &into);
  pushText(EventKind::kTlsSession, *writer_, text, 0);
  api_.OPENSSL_cleanse(text.data(), text.size());
}

void Filter::secretCame(const char* line) { of(*writer_).session.secretCame(line); }

void Filter::keylog(const char* line) { pushText(EventKind::kTlsKeylog, *writer_, line, 0); }

}  // namespace ringpoll::tls
