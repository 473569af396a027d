// Frames for the peer: messages, pings and pongs, close frames. (A server's messages that are not
// compressed need none of this: JavaScript writes their headers, and they are bytes as any others.)
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/assert.h"
#include "protocol.h"

namespace ringpoll::websocket {

void Protocol::command(Channel& channel, const int32_t* words, uint64_t nowMs) {
  Connection& connection = of(channel);
  const auto kind = static_cast<CommandKind>(words[0]);
  switch (kind) {
    case CommandKind::kWsSend:
      sendCommand(channel, connection, words);
      break;
    case CommandKind::kWsSendBlock:
      sendBlockCommand(channel, connection, words);
      break;
    case CommandKind::kWsPing:
    case CommandKind::kWsPong: {
      const auto length = static_cast<uint32_t>(words[5]);
      RP_ASSERT(length <= kControlBytesMax);
      const ReceivedBytes staged = transport_.staged(words[4], length);
      const Opcode opcode = kind == CommandKind::kWsPing ? Opcode::kPing : Opcode::kPong;
      if (!sendControl(channel, connection, opcode, arena_.data(staged.block) + staged.offset,
                       length)) {
        transport_.giveUp(channel, ENOMEM);
      }
      break;
    }
    case CommandKind::kWsClose:
      closeCommand(channel, connection, words, nowMs);
      break;
    default:
      break;
  }
}

// Room for the header lies in front of the staged payload, so that both are one view.
void Protocol::sendCommand(Channel& channel, Connection& connection, const int32_t* words) {
  const auto bytes = static_cast<uint32_t>(words[5]);
  const auto room = static_cast<uint32_t>(words[6]);
  RP_ASSERT(room <= bytes);
  transport_.takeCounted(channel, bytes);
  if (!maySend(channel, connection)) return;
  const Settings& settings = *connection.settings;
  const uint32_t length = bytes - room;
  const auto flags = static_cast<uint32_t>(words[3]);
  const auto opcode = static_cast<Opcode>(flags & kWsSendOpcode);
  const ReceivedBytes staged = transport_.staged(words[4], bytes);
  uint8_t* const at = arena_.data(staged.block) + staged.offset;
  std::vector<ReceivedBytes> pieces;
  if ((flags & kWsSendCompress) && length > 0 && length >= settings.deflate.thresholdBytes &&
      compress(connection, at + room, length, opcode, &pieces)) {
    for (const ReceivedBytes& piece : pieces) {
      transport_.queueBytes(channel, piece.block, piece.offset, piece.length);
    }
    return;
  }
  RP_ASSERT(room == headerBytes(length, settings.role));
  const MaskKey key = settings.role == Role::kClient ? keys_.next() : 0;
  writeHeader(at, opcode, false, length, settings.role, key);
  if (settings.role == Role::kClient) mask(at + room, length, key);
  transport_.queueBytes(channel, staged.block, staged.offset, bytes);
}

// Short ones are copied, so that all of a turn are one view. Longer ones leave from where they are,
// behind a header in place of the one that they came with, or behind one of its own.
void Protocol::sendBlockCommand(Channel& channel, Connection& connection, const int32_t* words) {
  const auto bytes = static_cast<uint32_t>(words[5]);
  const auto header = static_cast<uint32_t>(words[6]);
  const auto block = static_cast<BlockId>(words[7]);
  const auto slabOffset = static_cast<uint32_t>(words[4]);
  RP_ASSERT(header <= bytes);
  transport_.takeCounted(channel, bytes);
  if (!maySend(channel, connection) || !arena_.contains(block, 0, 0)) return;
  const uint32_t length = bytes - header;
  const uint32_t offset = slabOffset - arena_.slabOffset(block);
  if (!arena_.contains(block, offset, length)) return;
  const Role role = connection.settings->role;
  const auto flags = static_cast<uint32_t>(words[3]);
  const auto opcode = static_cast<Opcode>(flags & kWsSendOpcode);
  RP_ASSERT(header == headerBytes(length, role));
  const bool copies = role == Role::kClient || length <= kCopiedBytesMax;
  if (!copies && (flags & kWsSendFramed)) {
    RP_ASSERT(offset >= header);
    writeHeader(arena_.data(block) + offset - header, opcode, false, length, role, 0);
    transport_.queueBytes(channel, block, offset - header, bytes);
    return;
  }
  ScratchBlock::Room room;
  const uint32_t copied = copies ? bytes : header;
  if (copied > kHotBlockBytes || !flushBytes_.room(copied, &room)) {
    send(channel, arena_.data(block) + offset, length, opcode, false);
    return;
  }
  const MaskKey key = role == Role::kClient ? keys_.next() : 0;
  writeHeader(room.at, opcode, false, length, role, key);
  if (copies) std::memcpy(room.at + header, arena_.data(block) + offset, length);
  if (role == Role::kClient) mask(room.at + header, length, key);
  flushBytes_.commit(copied);
  transport_.queueBytes(channel, room.block, room.offset, copied);
  if (!copies) transport_.queueBytes(channel, block, offset, length);
}

void Protocol::closeCommand(Channel& channel, Connection& connection, const int32_t* words,
                            uint64_t nowMs) {
  if (connection.phase != Phase::kOpen) return;
  nowMs_ = nowMs;
  topics_.leaveAll(connection);
  const auto length = static_cast<uint32_t>(words[5]);
  RP_ASSERT(length <= kControlBytesMax - 2);
  channel.flags &= ~kCorked;
  const ReceivedBytes staged = transport_.staged(words[4], length);
  const auto code = static_cast<uint16_t>(words[3] == 0 ? int32_t{kNoCode} : words[3]);
  sendClose(channel, connection, code, arena_.data(staged.block) + staged.offset, length);
  if (connection.phase == Phase::kOpen) connection.phase = Phase::kClosing;
  connection.closeMs = static_cast<uint32_t>(nowMs);
  arm(channel, connection);
}

bool Protocol::sendControl(Channel& channel, Connection& connection, Opcode opcode,
                           const uint8_t* payload, uint32_t length) {
  if (!maySend(channel, connection)) return true;
  const Role role = connection.settings->role;
  ScratchBlock::Room room;
  if (!flushBytes_.room(kHeaderBytesMax + kControlBytesMax, &room)) return false;
  const MaskKey key = role == Role::kClient ? keys_.next() : 0;
  const uint32_t header = writeHeader(room.at, opcode, false, length, role, key);
  std::copy_n(payload, length, room.at + header);
  if (role == Role::kClient) mask(room.at + header, length, key);
  flushBytes_.commit(header + length);
  transport_.queueBytes(channel, room.block, room.offset, header + length);
  return true;
}

void Protocol::sendClose(Channel& channel, Connection& connection, uint16_t code,
                         const uint8_t* reason, uint32_t length) {
  uint8_t payload[kControlBytesMax];
  uint32_t bytes = 0;
  if (code != kNoCode) {
    payload[0] = static_cast<uint8_t>(code >> 8);
    payload[1] = static_cast<uint8_t>(code);
    std::copy_n(reason, length, payload + 2);
    bytes = 2 + length;
  }
  if (!sendControl(channel, connection, Opcode::kClose, payload, bytes)) {
    transport_.giveUp(channel, ENOMEM);
  }
  connection.closeSent = true;
}

// A peer that pings and does not read gets an answer to its last ping alone (RFC 6455, 5.5.3).
void Protocol::answerPing(Channel& channel, Connection& connection, const uint8_t* payload,
                          uint32_t length) {
  if (transport_.unsentBytes(channel) <= kPongUnsentMax) {
    connection.unanswered.reset();
    if (!sendControl(channel, connection, Opcode::kPong, payload, length)) {
      transport_.giveUp(channel, ENOMEM);
    }
    return;
  }
  if (connection.unanswered == nullptr) connection.unanswered = std::make_unique<ControlPayload>();
  connection.unanswered->length = static_cast<uint8_t>(length);
  std::copy_n(payload, length, connection.unanswered->bytes);
  channel.flags |= kProtocolWaits;
}

void Protocol::sendProgressed(Channel& channel) {
  Connection& connection = of(channel);
  if (connection.unanswered != nullptr) {
    if (transport_.unsentBytes(channel) > kPongUnsentMax / 2) return;
    const std::unique_ptr<ControlPayload> ping = std::move(connection.unanswered);
    if (!sendControl(channel, connection, Opcode::kPong, ping->bytes, ping->length)) {
      transport_.giveUp(channel, ENOMEM);
    }
  }
  channel.flags &= ~kProtocolWaits;
}

Deflater* Protocol::deflaterFor(Connection& connection) {
  const DeflateParameters& parameters = connection.settings->deflate;
  if (!parameters.dedicated) return streams_.deflater(parameters);
  if (connection.streams == nullptr) connection.streams = std::make_unique<Streams>();
  if (connection.streams->deflater == nullptr) {
    connection.streams->deflater = Deflater::make(parameters);
  }
  return connection.streams->deflater.get();
}

// Puts the header into the room that the first piece begins with.
void Protocol::putHeader(std::vector<ReceivedBytes>* pieces, Opcode opcode, Role role) {
  uint64_t length = 0;
  for (const ReceivedBytes& piece : *pieces) length += piece.length;
  length -= kHeaderBytesMax;
  ReceivedBytes& first = pieces->front();
  const uint32_t header = headerBytes(length, role);
  first.offset += kHeaderBytesMax - header;
  first.length -= kHeaderBytesMax - header;
  const MaskKey key = role == Role::kClient ? keys_.next() : 0;
  writeHeader(arena_.data(first.block) + first.offset, opcode, true, length, role, key);
  if (role != Role::kClient) return;
  MaskKey next = key;
  for (size_t i = 0; i < pieces->size(); ++i) {
    const ReceivedBytes& piece = (*pieces)[i];
    const uint32_t skipped = i == 0 ? header : 0;
    const uint32_t bytes = piece.length - skipped;
    mask(arena_.data(piece.block) + piece.offset + skipped, bytes, next);
    next = keyAfter(next, bytes);
  }
}

// A frame with RSV1. False: it is to be sent as it is.
bool Protocol::compress(Connection& connection, const uint8_t* data, size_t length, Opcode opcode,
                        std::vector<ReceivedBytes>* pieces) {
  const DeflateParameters& parameters = connection.settings->deflate;
  if (!parameters.on) return false;
  Deflater* deflater = deflaterFor(connection);
  if (deflater == nullptr) return false;
  ++counters_.compressions;
  const bool keepContext = parameters.dedicated && parameters.ownTakeover;
  const bool done = deflater->compress(arena_, flushBytes_, data, length, kHeaderBytesMax,
                                       keepContext, pieces, &lent_);
  if (!done) {
    // What the peer's window has is what was sent: an emptied compressor refers to nothing.
    pieces->clear();
    return false;
  }
  putHeader(pieces, opcode, connection.settings->role);
  return true;
}

// A frame that is not compressed, in scratch or in blocks of its own.
bool Protocol::copyFrame(const uint8_t* data, size_t length, Opcode opcode, Role role,
                         bool ownBlocks, std::vector<ReceivedBytes>* pieces) {
  uint8_t header[kHeaderBytesMax];
  MaskKey key = role == Role::kClient ? keys_.next() : 0;
  const uint32_t headerLength = writeHeader(header, opcode, false, length, role, key);
  uint32_t used = headerLength;
  const uint8_t* head = header;
  while (head != nullptr || length > 0) {
    ScratchBlock::Room room;
    const size_t wanted = length + used;
    const auto bytes = static_cast<uint32_t>(std::min<size_t>(wanted, kBlockBytesMax));
    if (ownBlocks) {
      room = {nullptr, arena_.lease(bytes), 0, bytes};
      if (room.block == kNoBlock) return false;
      lent_.push_back(room.block);
      room.at = arena_.data(room.block);
    } else if (flushBytes_.room(bytes, &room)) {
      flushBytes_.commit(bytes);
    } else {
      return false;
    }
    if (head != nullptr) std::memcpy(room.at, head, used);
    const uint32_t payload = bytes - used;
    if (payload > 0) std::memcpy(room.at + used, data, payload);
    if (role == Role::kClient) {
      mask(room.at + used, payload, key);
      key = keyAfter(key, payload);
    }
    pieces->push_back({room.block, room.offset, bytes});
    data += payload;
    length -= payload;
    used = 0;
    head = nullptr;
  }
  return true;
}

bool Protocol::send(Channel& channel, const uint8_t* data, size_t length, Opcode opcode,
                    bool compressed) {
  Connection& connection = of(channel);
  if (!maySend(channel, connection)) return false;
  const Settings& settings = *connection.settings;
  std::vector<ReceivedBytes> pieces;
  const bool wanted = compressed && length > 0 && length >= settings.deflate.thresholdBytes;
  if (!wanted || !compress(connection, data, length, opcode, &pieces)) {
    const bool ownBlocks = length > kBlockBytesMax / 4;
    if (!copyFrame(data, length, opcode, settings.role, ownBlocks, &pieces)) {
      transport_.giveUp(channel, ENOMEM);
      return false;
    }
  }
  for (const ReceivedBytes& piece : pieces) {
    transport_.queueBytes(channel, piece.block, piece.offset, piece.length);
  }
  return true;
}

}  // namespace ringpoll::websocket
