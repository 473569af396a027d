// What is published: a frame that is made once, and referred to by the queues of all subscribers.
#include <cerrno>
#include <cstring>

#include "protocol.h"

namespace ringpoll::websocket {

// The frame for this connection: made once for all that are alike. nullptr: no memory.
const Protocol::Encoded* Protocol::encode(std::vector<Encoded>* encoded,
                                          const Connection& connection, const uint8_t* data,
                                          size_t length, Opcode opcode, bool wanted) {
  const Settings& settings = *connection.settings;
  DeflateParameters parameters;
  // A compressor that knows what it has sent must not miss a message: such a one goes as it is.
  const bool stateless = !(settings.deflate.dedicated && settings.deflate.ownTakeover);
  if (wanted && settings.deflate.on && stateless && length > 0 &&
      length >= settings.deflate.thresholdBytes) {
    parameters.on = true;
    parameters.ownBits = settings.deflate.ownBits;
    parameters.level = settings.deflate.level;
    parameters.memLevel = settings.deflate.memLevel;
  }
  for (const Encoded& each : *encoded) {
    if (each.compressed == parameters) return &each;
  }
  Encoded made;
  made.compressed = parameters;
  if (parameters.on) {
    Deflater* deflater = streams_.deflater(parameters);
    if (deflater == nullptr) return nullptr;
    ++counters_.compressions;
    if (!deflater->compress(arena_, flushBytes_, data, length, kHeaderBytesMax, false, &made.pieces,
                            &lent_)) {
      return nullptr;
    }
    putHeader(&made.pieces, opcode, Role::kServer);
  } else {
    made.ownBlocks = length >= kOwnBlockMin;
    if (!copyFrame(data, length, opcode, Role::kServer, made.ownBlocks, &made.pieces)) {
      return nullptr;
    }
  }
  for (const ReceivedBytes& piece : made.pieces) made.bytes += piece.length;
  // What a slow subscriber keeps is a reference, and not a copy for each of them.
  if (parameters.on && made.pieces.size() == 1 && made.bytes >= kOwnBlockMin) {
    const ReceivedBytes& from = made.pieces.front();
    const BlockId block = arena_.lease(from.length);
    if (block != kNoBlock) {
      std::memcpy(arena_.data(block), arena_.data(from.block) + from.offset, from.length);
      made.pieces.front() = {block, 0, from.length};
      made.ownBlocks = true;
      lent_.push_back(block);
    }
  }
  encoded->push_back(std::move(made));
  return &encoded->back();
}

// What becomes of a subscriber that does not read as fast as others publish.
bool Protocol::takesMore(Channel& channel, const Settings& settings, uint64_t bytes) {
  if (settings.backpressureBytes == 0) return true;
  const uint64_t waiting = transport_.unsentBytes(channel) + bytes;
  if (waiting <= settings.backpressureBytes) return true;
  switch (settings.slow) {
    case SlowPolicy::kDrop:
      ++counters_.dropped;
      return false;
    case SlowPolicy::kWait:
      if (waiting <= kWaitingBytesMax) return true;
      break;
    case SlowPolicy::kClose:
      break;
  }
  ++counters_.dropped;
  transport_.giveUp(channel, ENOBUFS);
  return false;
}

uint32_t Protocol::publish(uint32_t scope, std::string_view topic, const uint8_t* data,
                           size_t length, Opcode opcode, bool compressed, Token except) {
  ++counters_.publishes;
  ++publishNumber_;
  uint32_t queued = 0;
  std::vector<Encoded> encoded;
  encoded.reserve(2);
  const Settings* settings = nullptr;
  const Encoded* frame = nullptr;  // for those settings
  topics_.forEachMember(scope, topic, [&](Channel& channel) {
    Connection& connection = of(channel);
    if (connection.published == publishNumber_) return;  // by another subscription of its
    connection.published = publishNumber_;
    if (channel.token() == except || !maySend(channel, connection)) return;
    if (connection.phase != Phase::kOpen) return;
    if (connection.settings != settings) {
      settings = connection.settings;
      frame = encode(&encoded, connection, data, length, opcode, compressed);
    }
    if (frame == nullptr) {
      transport_.giveUp(channel, ENOMEM);
      return;
    }
    if (!takesMore(channel, *connection.settings, frame->bytes)) return;
    for (const ReceivedBytes& piece : frame->pieces) {
      if (frame->ownBlocks) {
        transport_.queueShared(channel, piece.block, piece.offset, piece.length);
      } else {
        transport_.queueBytes(channel, piece.block, piece.offset, piece.length);
      }
    }
    ++queued;
  });
  for (const Encoded& frame : encoded) publishedBytes_ += frame.bytes;
  counters_.deliveries += queued;
  return queued;
}

}  // namespace ringpoll::websocket
