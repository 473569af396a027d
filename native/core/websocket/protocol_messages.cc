// From frames to events: messages, and what control frames say.
#include <algorithm>

#include "protocol.h"

namespace ringpoll::websocket {

void Protocol::deliver(const Channel& channel, EventKind kind, const ReceivedBytes& bytes) {
  events_.push(kind, channel, static_cast<int32_t>(arena_.slab(bytes.block)), bytes.block,
               arena_.slabOffset(bytes.block) + bytes.offset, bytes.length);
}

void Protocol::countMessage(Connection& connection) {
  ++counters_.messages;
  connection.messageMs = static_cast<uint32_t>(nowMs_);
}

void Protocol::takeData(Channel& channel, Connection& connection, const FrameStep& step,
                        const ReceivedBytes& at) {
  const bool text = step.opcode == Opcode::kText && !step.compressed;
  if (step.first) connection.utf8.reset();
  if (text) {
    // Told as soon as it is known, whatever of the message is still to come.
    const uint8_t* data = arena_.data(at.block) + at.offset;
    const bool valid = connection.utf8.feed(data, at.length);
    if (!valid || (step.last && !connection.utf8.complete())) {
      violated(channel, connection, kInvalidText);
      return;
    }
  }
  if (step.first && step.last) {
    if (step.compressed) {
      finishMessage(channel, connection, step, {at});
      return;
    }
    // Header and payload came together: a frame that goes out again needs no more than a header.
    const bool framed = step.offset >= headerBytes(at.length, Role::kServer);
    countMessage(connection);
    deliver(channel,
            text     ? EventKind::kWsText
            : framed ? EventKind::kWsFrame
                     : EventKind::kWsBinary,
            at);
    return;
  }
  if (connection.gather == nullptr) connection.gather = std::make_unique<Gather>();
  const uint8_t* data = arena_.data(at.block) + at.offset;
  if (!connection.gather->append(arena_, data, at.length)) {
    violated(channel, connection, kInternalError);
    return;
  }
  if (!step.last) return;
  const std::vector<ReceivedBytes> pieces = connection.gather->pieces();
  retireGather(connection);
  finishMessage(channel, connection, step, pieces);
}

void Protocol::finishMessage(Channel& channel, Connection& connection, const FrameStep& step,
                             std::vector<ReceivedBytes> pieces) {
  const Settings& settings = *connection.settings;
  if (step.compressed) {
    Inflater* inflater = nullptr;
    if (settings.deflate.peerTakeover) {
      if (connection.streams == nullptr) connection.streams = std::make_unique<Streams>();
      if (connection.streams->inflater == nullptr) {
        connection.streams->inflater = Inflater::make();
      }
      inflater = connection.streams->inflater.get();
    } else {
      inflater = streams_.inflater();
    }
    std::vector<ReceivedBytes> inflated;
    uint16_t code = kInternalError;
    if (inflater != nullptr) {
      ++counters_.inflations;
      code = inflater->inflate(turnBytes_, arena_, pieces, settings.maxPayload,
                               settings.deflate.peerTakeover, &inflated);
    }
    Utf8Check utf8;
    for (const ReceivedBytes& piece : inflated) {
      connection.inflatedInTurn += piece.length;
      if (code != 0 || step.opcode != Opcode::kText) continue;
      if (!utf8.feed(arena_.data(piece.block) + piece.offset, piece.length)) code = kInvalidText;
    }
    if (code == 0 && !utf8.complete()) code = kInvalidText;
    if (code != 0) {
      violated(channel, connection, code);
      return;
    }
    pieces = std::move(inflated);
  }
  if (pieces.empty()) {
    ScratchBlock::Room room;  // an event names a block, though of no byte
    if (!turnBytes_.room(1, &room)) {
      violated(channel, connection, kInternalError);
      return;
    }
    pieces.push_back({room.block, room.offset, 0});
  }
  countMessage(connection);
  for (size_t i = 0; i + 1 < pieces.size(); ++i) deliver(channel, EventKind::kWsPart, pieces[i]);
  deliver(channel, step.opcode == Opcode::kText ? EventKind::kWsText : EventKind::kWsBinary,
          pieces.back());
}

// JavaScript may read it until the turn is over.
void Protocol::retireGather(Connection& connection) {
  if (connection.gather == nullptr) return;
  for (const ReceivedBytes& piece : connection.gather->pieces()) retired_.push_back(piece.block);
  connection.gather.reset();
}

bool Protocol::pushControl(const Channel& channel, EventKind kind, const uint8_t* payload,
                           uint32_t length) {
  ScratchBlock::Room room;
  if (!turnBytes_.room(kControlBytesMax, &room)) return false;
  std::copy_n(payload, length, room.at);
  turnBytes_.commit(length);
  deliver(channel, kind, {room.block, room.offset, length});
  return true;
}

void Protocol::takeControl(Channel& channel, Connection& connection, const FrameStep& step) {
  const Settings& settings = *connection.settings;
  bool told = true;
  switch (step.opcode) {
    case Opcode::kPing:
      answerPing(channel, connection, step.control, step.length);
      if (settings.pingEvents) {
        told = pushControl(channel, EventKind::kWsPing, step.control, step.length);
      }
      break;
    case Opcode::kPong:
      connection.aliveMs = static_cast<uint32_t>(nowMs_);
      if (settings.pongEvents) {
        told = pushControl(channel, EventKind::kWsPong, step.control, step.length);
      }
      break;
    default:
      takeClose(channel, connection, step);
      break;
  }
  if (!told) violated(channel, connection, kInternalError);
}

void Protocol::pushClosing(const Channel& channel, WsClosingCause cause, uint16_t code,
                           const uint8_t* reason, uint32_t length) {
  const int32_t result = code | static_cast<int32_t>(cause) << 16;
  ScratchBlock::Room room;
  if (length == 0 || !turnBytes_.room(kControlBytesMax, &room)) {
    events_.push(EventKind::kWsClosing, channel, result);
    return;
  }
  std::copy_n(reason, length, room.at);
  turnBytes_.commit(length);
  events_.push(EventKind::kWsClosing, channel, result, arena_.slab(room.block),
               arena_.slabOffset(room.block) + room.offset, length);
}

void Protocol::takeClose(Channel& channel, Connection& connection, const FrameStep& step) {
  const ClosePayload close = readClosePayload(step.control, step.length);
  if (close.violation != 0) {
    violated(channel, connection, close.violation);
    return;
  }
  pushClosing(channel, WsClosingCause::kPeer, close.code, step.control + close.reasonOffset,
              step.length - close.reasonOffset);
  connection.peerClosed = true;
  // The same code goes back; a close frame without one is answered by one without.
  closeAtEndOfTurn(channel, connection, close.code);
}

void Protocol::violated(Channel& channel, Connection& connection, uint16_t code) {
  pushClosing(channel, WsClosingCause::kViolation, code, nullptr, 0);
  closeAtEndOfTurn(channel, connection, code);
}

// `code` 0: without a close frame.
void Protocol::closeAtEndOfTurn(Channel& channel, Connection& connection, uint16_t code) {
  retireGather(connection);
  topics_.leaveAll(connection);
  connection.closeCode = code;
  connection.phase = Phase::kLast;
  closing_.push_back(channel.token());
}

}  // namespace ringpoll::websocket
