// From received bytes to responses: heads, bodies, trailers.
#include "client.h"

namespace ringpoll::http {

namespace {

constexpr uint32_t kSwitchingProtocols = 101;
constexpr uint32_t kFinalMin = 200;
constexpr HttpError kNoMemory = asHttpError(ResponseError::kNoMemory);

constexpr uint32_t recordBytes(const ClientConnection& connection) {
  return recordWords(connection.settings.options.limits.headersMax) * sizeof(uint32_t);
}

}  // namespace

bool Client::roomForRecord(const ClientConnection& connection) const {
  const Limits& limits = connection.settings.options.limits;
  const uint32_t words = std::max(recordWords(limits.headersMax), kFieldWords * limits.trailersMax);
  return headsUsed_ + words <= headWords_;
}

bool Client::parseHead(Channel& channel, ClientConnection& connection, ReceivedBytes* piece) {
  if (connection.asks.empty()) {
    fault(channel, ResponseError::kUnsolicited);
    return false;
  }
  if (!roomForRecord(connection)) {
    hold(channel, connection, *piece);
    goOnNextTurn(channel, connection);
    return false;
  }
  const Limits& limits = connection.settings.options.limits;
  if (connection.begun) {
    connection.parser.relocate(nextRecord());
  } else {
    connection.parser.begin(nextRecord(), recordWords(limits.headersMax));
    connection.begun = true;
  }
  ReceivedBytes head;
  const HeadResult result =
      connection.section.feed(arena_, connection.parser, limits.headBytesMax,
                              recordBytes(connection), kNoMemory, piece, &head);
  if (result.step == Step::kError) {
    fault(channel, result.error);
    return false;
  }
  if (result.step == Step::kNeedMore) {
    uint8_t* const tail = connection.section.tail(arena_, recordBytes(connection));
    connection.parser.relocate(reinterpret_cast<uint32_t*>(tail));
    return false;
  }
  connection.begun = false;
  const bool goOn = headDone(channel, connection, head, piece);
  connection.section.retire(retired_);
  return goOn;
}

void Client::pushHead(EventKind kind, const Channel& channel, const ReceivedBytes& head,
                      uint32_t length) {
  events_.push(kind, channel, static_cast<int32_t>(arena_.slab(head.block)), headsUsed_,
               arena_.slabOffset(head.block) + head.offset, length);
  headsUsed_ += recordWords(RecordView(nextRecord()).headerCount());
}

bool Client::interim(Channel& channel, ClientConnection& connection, const ReceivedBytes& head) {
  if (++connection.informational > connection.settings.informationalMax) {
    fault(channel, ResponseError::kInformationalTooMany);
    return false;
  }
  if (connection.asks.front().informational) {
    pushHead(EventKind::kInformational, channel, head, head.length);
  }
  return true;
}

bool Client::headDone(Channel& channel, ClientConnection& connection, const ReceivedBytes& head,
                      ReceivedBytes* piece) {
  const Ask& ask = connection.asks.front();
  uint32_t* const record = nextRecord();
  const HttpError error = applyResponseFraming(arena_.data(head.block) + head.offset, record,
                                               ask.asked, connection.settings.options);
  if (error != HttpError::kNone) {
    fault(channel, error);
    return false;
  }
  const uint32_t status = record[kRecordStatus];
  if (status < kFinalMin && status != kSwitchingProtocols) {
    return interim(channel, connection, head);
  }
  if (status == kSwitchingProtocols && !ask.upgrade) {
    fault(channel, ResponseError::kUpgradeUnasked);
    return false;
  }
  const RecordView view(record);
  ++responses_;
  connection.keepAlive = view.has(kFlagKeepAlive);
  if (view.has(kFlagUpgrade)) {
    connection.state = ClientState::kHolding;
    pushHead(EventKind::kResponse, channel, head, head.length);
    return true;
  }
  const bool isWhole = !view.has(kFlagHasBody);
  // All of the body came along, and lies right behind the head.
  const bool comesAlong = !isWhole && !view.has(kFlagChunked) && !view.has(kFlagUntilClose) &&
                          head.block == piece->block && view.contentLength() <= piece->length;
  if (isWhole || comesAlong) {
    const auto bytes = isWhole ? 0 : static_cast<uint32_t>(view.contentLength());
    pushHead(EventKind::kResponseWhole, channel, head, bytes);
    piece->offset += bytes;
    piece->length -= bytes;
    responseDone(channel, connection);
    return true;
  }
  connection.untilCloseBytes = 0;
  connection.state = ClientState::kUntilClose;
  if (!view.has(kFlagUntilClose)) {
    connection.body.begin(record, connection.settings.options);
    connection.state = ClientState::kBody;
  }
  pushHead(EventKind::kResponse, channel, head, head.length);
  return true;
}

bool Client::parseUntilClose(Channel& channel, ClientConnection& connection,
                             const ReceivedBytes& piece) {
  connection.untilCloseBytes += piece.length;
  if (connection.untilCloseBytes > connection.settings.options.limits.bodyBytesMax) {
    fault(channel, HttpError::kBodyTooLarge);
  } else {
    pushBytes(EventKind::kResponseBody, channel, piece);
  }
  return false;
}

bool Client::parseBody(Channel& channel, ClientConnection& connection, ReceivedBytes* piece) {
  const uint8_t* const data = arena_.data(piece->block) + piece->offset;
  const BodyStep step = connection.body.next(data, piece->length);
  const ReceivedBytes bytes{piece->block, piece->offset + step.offset, step.length};
  piece->offset += step.consumed;
  piece->length -= step.consumed;
  switch (step.kind) {
    case BodyStepKind::kNeedMore:
      return false;
    case BodyStepKind::kData:
      pushBytes(EventKind::kResponseBody, channel, bytes);
      // A body that ends with these bytes is over now, not when the next ones come.
      if (piece->length == 0 && connection.body.next(data, 0).kind == BodyStepKind::kEnd) {
        responseDone(channel, connection);
      }
      return true;
    case BodyStepKind::kTrailers:
      connection.state = ClientState::kTrailers;
      return true;
    case BodyStepKind::kEnd:
      responseDone(channel, connection);
      return true;
    case BodyStepKind::kError:
      fault(channel, step.error);
      return false;
  }
  return false;
}

bool Client::parseTrailers(Channel& channel, ClientConnection& connection, ReceivedBytes* piece) {
  if (!roomForRecord(connection)) {
    hold(channel, connection, *piece);
    goOnNextTurn(channel, connection);
    return false;
  }
  const Limits& limits = connection.settings.options.limits;
  // Begun anew each time: trailers are rare, short, and hardly ever split.
  connection.trailers.begin(nextRecord(), limits.trailersMax);
  ReceivedBytes section;
  const HeadResult result = connection.section.feed(
      arena_, connection.trailers, limits.trailerBytesMax, 0, kNoMemory, piece, &section);
  if (result.step == Step::kError) {
    fault(channel, result.error);
    return false;
  }
  if (result.step == Step::kNeedMore) return false;
  events_.push(EventKind::kResponseTrailers, channel,
               static_cast<int32_t>(arena_.slab(section.block)), headsUsed_,
               arena_.slabOffset(section.block) + section.offset, connection.trailers.count());
  headsUsed_ += kFieldWords * connection.trailers.count();
  connection.section.retire(retired_);
  responseDone(channel, connection);
  return true;
}

// The last byte of a response was there. kResponseWhole says so by itself.
void Client::responseDone(Channel& channel, ClientConnection& connection) {
  if (connection.state != ClientState::kHead) events_.push(EventKind::kResponseEnd, channel);
  connection.state = ClientState::kHead;
  connection.informational = 0;
  connection.asks.pop_front();
  if (!connection.keepAlive) {
    over(channel, connection);
    return;
  }
  connection.idleSinceMs = nowMs_;
  setResting(connection, connection.asks.empty());
  if (!connection.asks.empty()) connection.asks.front().startMs = nowMs_;
}

}  // namespace ringpoll::http
