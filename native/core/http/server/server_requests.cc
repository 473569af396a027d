// From received bytes to requests: heads, bodies, trailers, and what comes before the first.
#include <algorithm>
#include <cstring>

#include "core/base/probes.h"
#include "core/http/parser/sniff.h"
#include "server.h"

namespace ringpoll::http {

namespace {

constexpr uint32_t recordBytes(const Profile& profile) {
  return recordWords(profile.options.limits.headersMax) * sizeof(uint32_t);
}

// Lets a PROXY header be gathered like any other section.
struct ProxyFeed {
  ProxyHeader header;
  HeadResult feed(const uint8_t* data, uint32_t length) {
    const ProxyResult result = parseProxyHeader(data, length, &header);
    return {result.step, result.error, result.offset};
  }
};

}  // namespace

// Copies a piece behind what is gathered already. Behind it all stays room for `tail` bytes.
bool Server::gatherBytes(Connection& connection, const Piece& piece, uint32_t bytes, uint32_t limit,
                         uint32_t tail) {
  const uint32_t needed = connection.gathered + bytes + tail;
  if (connection.gather == kNoBlock || arena_.size(connection.gather) < needed) {
    // Grows as the peer sends, so that a slow one does not hold what the longest head needs.
    const uint32_t wanted = std::min(needed + connection.gathered, limit + tail);
    const BlockId grown = arena_.lease(std::max(needed, wanted));
    if (grown == kNoBlock) return false;
    if (connection.gather != kNoBlock) {
      std::memcpy(arena_.data(grown), arena_.data(connection.gather), connection.gathered);
      arena_.release(connection.gather);
    }
    connection.gather = grown;
  }
  std::memcpy(arena_.data(connection.gather) + connection.gathered,
              arena_.data(piece.block) + piece.offset, bytes);
  return true;
}

// Feeds a section that must be contiguous: from where it was received, or, once a read has ended
// within it, from the gather block. `section` is what was looked at; when done, the section itself.
template <typename Parser>
HeadResult Server::feedSection(Connection& connection, Parser& parser, uint32_t limit, Piece* piece,
                               Piece* section) {
  const uint32_t tail = recordBytes(*connection.profile);
  const uint32_t before = connection.gathered;
  uint32_t taken = piece->length;
  HeadResult result;
  if (connection.gather == kNoBlock) {
    result = parser.feed(arena_.data(piece->block) + piece->offset, taken);
    *section = *piece;
    taken = std::min(taken, limit);
    if (result.step == Step::kNeedMore && !gatherBytes(connection, *piece, taken, limit, tail)) {
      return {Step::kError, HttpError::kHeadTooLarge, 0};
    }
  } else {
    taken = std::min(taken, limit - before);
    if (taken == 0 || !gatherBytes(connection, *piece, taken, limit, tail)) {
      return {Step::kError, HttpError::kHeadTooLarge, 0};
    }
    result = parser.feed(arena_.data(connection.gather), before + taken);
    *section = {connection.gather, 0, before + taken};
  }
  if (result.step == Step::kError) return result;
  if (result.step == Step::kDone) {
    taken = result.offset - before;
    section->length = result.offset;
    releaseGather(connection);
  } else {
    connection.gathered = before + taken;
  }
  piece->offset += taken;
  piece->length -= taken;
  return result;
}

bool Server::parseProxy(Channel& channel, Connection& connection, Piece* piece) {
  ProxyFeed feed;
  Piece section;
  const HeadResult result = feedSection(connection, feed, kProxyV2BytesMax, piece, &section);
  if (result.step == Step::kNeedMore) return false;
  if (result.step == Step::kError) {
    fail(channel, connection, HttpError::kProxyHeader);
    return false;
  }
  connection.proxy = std::make_unique<ProxyHeader>(feed.header);
  connection.state = State::kHead;
  return true;
}

bool Server::roomForRecord(const Connection& connection) const {
  const Limits& limits = connection.profile->options.limits;
  const uint32_t words = std::max(recordWords(limits.headersMax), kFieldWords * limits.trailersMax);
  return headsUsed_ + words <= headWords_;
}

bool Server::parseHead(Channel& channel, Connection& connection, Piece* piece) {
  const Limits& limits = connection.profile->options.limits;
  if (mustHold(channel, connection)) {
    hold(channel, connection, *piece);
    return false;
  }
  if (!roomForRecord(connection)) {
    hold(channel, connection, *piece);
    goOnNextTurn(channel, connection);
    return false;
  }
  if (connection.begun) {
    connection.parser.relocate(nextRecord());
  } else {
    connection.parser.begin(nextRecord(), recordWords(limits.headersMax));
    connection.begun = true;
    if (connection.profile->tellsFirstByte) events_.push(EventKind::kHeadBegun, channel);
  }
  Piece head;
  const HeadResult result =
      feedSection(connection, connection.parser, limits.headBytesMax, piece, &head);
  if (result.step == Step::kError) {
    failHead(channel, connection, result, head);
    return false;
  }
  if (result.step == Step::kNeedMore) {
    uint8_t* end = arena_.data(connection.gather) + arena_.size(connection.gather);
    connection.parser.relocate(reinterpret_cast<uint32_t*>(end - recordBytes(*connection.profile)));
    return false;
  }
  connection.begun = false;
  requestDone(channel, connection, head);
  return true;
}

void Server::requestDone(Channel& channel, Connection& connection, const Piece& head) {
  const Profile& profile = *connection.profile;
  const RecordView record(nextRecord());
  if (record.method() == Method::kConnect && !profile.holdUpgrades) {
    fail(channel, connection, HttpError::kConnectRefused);
    return;
  }
  ++requests_;
  RP_PROBE2(request, channel.slot, requests_);
  if (++connection.requests >= profile.requestsMax) {
    nextRecord()[kRecordFlags] &= ~kFlagKeepAlive;
  }
  connection.keepAlive = record.has(kFlagKeepAlive);
  const bool hasBody = record.has(kFlagHasBody);
  if (!hasBody) connection.requestStartMs = nowMs_;  // of the next one
  if (!hasBody && answerStatically(channel, connection, head)) return;
  ++connection.outstanding;
  ++connection.told;
  events_.push(EventKind::kRequest, channel, static_cast<int32_t>(arena_.slab(head.block)),
               headsUsed_, arena_.slabOffset(head.block) + head.offset, head.length);
  if (hasBody) {
    connection.body.begin(nextRecord(), profile.options);
    connection.awaitsContinue = record.has(kFlagExpectContinue);
    connection.receiving.begin(nowMs_, channel.bytesRead);
    connection.state = State::kBody;
  } else if (record.has(kFlagUpgrade) && profile.holdUpgrades) {
    connection.state = State::kHolding;
  } else if (!connection.keepAlive) {
    connection.state = State::kDiscard;
  }
  if (!hasBody || record.contentLength() < kBodyIntoMin) endReadingItself(channel);
  headsUsed_ += recordWords(record.headerCount());
}

// Only what needs no header of its own: the last response of a connection, HTTP/1.0, and whatever
// must wait for an earlier request's are left to JavaScript, which knows the routes too.
bool Server::answerStatically(Channel& channel, Connection& connection, const Piece& head) {
  const RecordView record(nextRecord());
  StaticRoutes& routes = connection.profile->routes;
  if (routes.empty() || connection.outstanding > 0 || connection.profile->stopping) return false;
  if (!connection.keepAlive || !record.has(kFlagVersion11)) return false;
  const bool isHead = record.method() == Method::kHead;
  if (record.method() != Method::kGet && !isHead) return false;
  const uint32_t* words = nextRecord();
  const char* target = reinterpret_cast<const char*>(arena_.data(head.block)) + head.offset +
                       words[kRecordTargetOffset];
  const uint32_t query = words[kRecordQueryOffset];
  const uint32_t pathBytes =
      query == 0 ? words[kRecordTargetLength] : query - words[kRecordTargetOffset];
  const auto found = routes.find(std::string_view(target, pathBytes));
  if (found == routes.end()) return false;
  StaticRoute& route = found->second;
  Responder::Bytes bytes;
  const std::string_view body = isHead ? std::string_view() : std::string_view(route.body);
  if (!responder_.composeWhole(route.head, body, &bytes)) return false;
  transport_.queueBytes(channel, bytes.block, bytes.offset, bytes.length);
  connection.idleSinceMs = nowMs_;
  ++staticResponses_;
  return true;
}

bool Server::parseBody(Channel& channel, Connection& connection, Piece* piece) {
  if (connection.awaitsContinue) connection.receiving.begin(nowMs_, channel.bytesRead);
  connection.awaitsContinue = false;
  const Piece whole = *piece;
  const uint8_t* data = arena_.data(piece->block) + piece->offset;
  const BodyStep step = connection.body.next(data, piece->length);
  const uint32_t at = piece->offset;
  piece->offset += step.consumed;
  piece->length -= step.consumed;
  switch (step.kind) {
    case BodyStepKind::kNeedMore:
      return false;
    case BodyStepKind::kData:
      events_.push(EventKind::kBody, channel, static_cast<int32_t>(arena_.slab(piece->block)),
                   piece->block, arena_.slabOffset(piece->block) + at + step.offset, step.length);
      // A body that ends with these bytes is over now, not when the next ones come.
      if (piece->length == 0) {
        const BodyStep next = connection.body.next(data, 0);
        if (next.kind == BodyStepKind::kEnd) bodyDone(channel, connection);
      }
      return true;
    case BodyStepKind::kTrailers:
      connection.state = State::kTrailers;
      return true;
    case BodyStepKind::kEnd:
      bodyDone(channel, connection);
      return true;
    case BodyStepKind::kError:
      fail(channel, connection, step.error, whole);
      return false;
  }
  return false;
}

bool Server::parseTrailers(Channel& channel, Connection& connection, Piece* piece) {
  const Limits& limits = connection.profile->options.limits;
  if (!roomForRecord(connection)) {
    hold(channel, connection, *piece);
    goOnNextTurn(channel, connection);
    return false;
  }
  // Begun anew each time: trailers are rare, short, and hardly ever split.
  connection.trailers.begin(nextRecord(), limits.trailersMax);
  Piece section;
  const HeadResult result =
      feedSection(connection, connection.trailers, limits.trailerBytesMax, piece, &section);
  if (result.step == Step::kError) {
    fail(channel, connection, result.error);
    return false;
  }
  if (result.step == Step::kNeedMore) return false;
  events_.push(EventKind::kTrailers, channel, static_cast<int32_t>(arena_.slab(section.block)),
               headsUsed_, arena_.slabOffset(section.block) + section.offset,
               connection.trailers.count());
  headsUsed_ += kFieldWords * connection.trailers.count();
  bodyDone(channel, connection);
  return true;
}

void Server::bodyDone(Channel& channel, Connection& connection) {
  connection.into.reset();
  events_.push(EventKind::kBodyEnd, channel);
  connection.state = connection.keepAlive ? State::kHead : State::kDiscard;
  connection.requestStartMs = nowMs_;
}

// What was refused may not be HTTP/1 at all: then the peer deserves an answer that it understands.
void Server::failHead(Channel& channel, Connection& connection, const HeadResult& result,
                      const Piece& from) {
  HttpError error = result.error;
  if (connection.requests == 0 && from.length > 0) {
    const uint8_t* first = arena_.data(from.block) + from.offset;
    Sniffed sniffed = sniff(first, from.length);
    // Refused after a part of it, because nothing that begins so is a request.
    if (sniffed == Sniffed::kNeedMore && *first == 'P') sniffed = Sniffed::kHttp2;
    if (sniffed == Sniffed::kNeedMore && *first == kTlsHandshakeRecord) {
      sniffed = Sniffed::kTls;
    }
    switch (sniffed) {
      case Sniffed::kHttp2:
        error = HttpError::kHttp2;
        break;
      case Sniffed::kTls:
        error = HttpError::kTls;
        break;
      default:
        break;
    }
  }
  fail(channel, connection, error, from);
}

}  // namespace ringpoll::http
