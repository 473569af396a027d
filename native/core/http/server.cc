#include "server.h"

#include <algorithm>
#include <cstring>

#include "../assert.h"

namespace ringpoll::http {

Server::~Server() {
  for (BlockId block : retired_) arena_.release(block);
}

void Server::open(Channel& channel, const Profile& profile, uint64_t nowMs) {
  auto* connection = new Connection(profile);
  connection->phaseStartMs = connection->requestStartMs = nowMs;
  channel.protocol = connection;
  connection->armedForMs = deadlineMs(*connection);
  output_.armTimer(channel, connection->armedForMs - nowMs);
}

void Server::close(Channel& channel) {
  Connection& connection = of(channel);
  for (const Piece& piece : connection.held) retired_.push_back(piece.block);
  releaseGather(connection);
  delete &connection;
  channel.protocol = nullptr;
}

void Server::releaseGather(Connection& connection) {
  // JavaScript may read it until the turn is over.
  if (connection.gather != kNoBlock) retired_.push_back(connection.gather);
  connection.gather = kNoBlock;
  connection.gathered = 0;
}

bool Server::roomForRecord(const Connection& connection) const {
  const Limits& limits = connection.profile->options.limits;
  const uint32_t words = std::max(recordWords(limits.headersMax), kFieldWords * limits.trailersMax);
  return headsUsed_ + words <= kHeadTableWords;
}

void Server::received(Channel& channel, BlockId block, uint32_t offset, uint32_t length,
                      uint64_t nowMs) {
  Connection& connection = of(channel);
  const Piece piece{block, offset, length};
  if (!connection.held.empty()) {
    if (!hold(connection, piece)) fail(channel, connection, HttpError::kBodyTooLarge);
    return;
  }
  if (connection.phase == Phase::kIdle) connection.requestStartMs = nowMs;
  parse(channel, piece);
  setPhase(channel, connection, nowMs);
}

bool Server::hold(Connection& connection, const Piece& piece) {
  uint64_t bytes = piece.length;
  for (const Piece& held : connection.held) bytes += held.length;
  if (bytes > kHeldBytesMax) return false;
  arena_.addRef(piece.block);
  connection.held.push_back(piece);
  return true;
}

void Server::parse(Channel& channel, Piece piece) {
  Connection& connection = of(channel);
  while (piece.length > 0) {
    bool goOn = false;
    switch (connection.state) {
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
        if (!hold(connection, piece)) fail(channel, connection, HttpError::kBodyTooLarge);
        return;
      case State::kRaw:
        events_.push(EventKind::kData, channel, static_cast<int32_t>(arena_.slab(piece.block)),
                     piece.block, arena_.slabOffset(piece.block) + piece.offset, piece.length);
        return;
      case State::kDiscard:
        return;
    }
    if (!goOn) return;
  }
}

// Feeds a section that must be contiguous: from where it was received, or, once a read has ended
// within it, from the gather block.
template <typename Parser>
HeadResult Server::feedSection(Connection& connection, Parser& parser, uint32_t limit,
                               Piece* piece, Piece* section) {
  const uint8_t* data = arena_.data(piece->block) + piece->offset;
  uint32_t before = 0;
  uint32_t taken = piece->length;
  HeadResult result;
  if (connection.gather == kNoBlock) {
    result = parser.feed(data, piece->length);
    *section = {piece->block, piece->offset, result.offset};
    if (result.step == Step::kNeedMore) {
      const uint32_t record = recordWords(connection.profile->options.limits.headersMax);
      connection.gather = arena_.lease(limit + record * sizeof(uint32_t));
      if (connection.gather == kNoBlock) return {Step::kError, HttpError::kHeadTooLarge, 0};
      std::memcpy(arena_.data(connection.gather), data, taken);
    }
  } else {
    before = connection.gathered;
    taken = std::min(piece->length, limit - before);
    uint8_t* gather = arena_.data(connection.gather);
    std::memcpy(gather + before, data, taken);
    result = parser.feed(gather, before + taken);
    *section = {connection.gather, 0, result.offset};
  }
  if (result.step == Step::kError) return result;
  if (result.step == Step::kDone) {
    taken = result.offset - before;
    releaseGather(connection);
  } else {
    connection.gathered = before + taken;
  }
  piece->offset += taken;
  piece->length -= taken;
  return result;
}

bool Server::parseHead(Channel& channel, Connection& connection, Piece* piece) {
  const Limits& limits = connection.profile->options.limits;
  if (!roomForRecord(connection)) {
    if (!hold(connection, *piece)) fail(channel, connection, HttpError::kBodyTooLarge);
    stalled_.push_back(channel.token());
    return false;
  }
  if (connection.begun) {
    connection.parser.relocate(nextRecord());
  } else {
    connection.parser.begin(nextRecord(), recordWords(limits.headersMax));
    connection.begun = true;
  }
  Piece head;
  const HeadResult result =
      feedSection(connection, connection.parser, limits.headBytesMax, piece, &head);
  if (result.step == Step::kError) {
    fail(channel, connection, result.error);
    return false;
  }
  if (result.step == Step::kNeedMore) {
    uint8_t* tail = arena_.data(connection.gather) + limits.headBytesMax;
    tail += -reinterpret_cast<uintptr_t>(tail) % alignof(uint32_t);
    connection.parser.relocate(reinterpret_cast<uint32_t*>(tail));
    return false;
  }
  connection.begun = false;
  requestDone(channel, connection, head);
  return true;
}

void Server::requestDone(Channel& channel, Connection& connection, const Piece& head) {
  const RecordView record(nextRecord());
  ++requests_;
  connection.keepAlive = record.has(kFlagKeepAlive);
  const bool hasBody = record.has(kFlagHasBody);
  if (!hasBody && answerStatically(channel, connection, head, record)) return;
  ++connection.outstanding;
  events_.push(EventKind::kRequest, channel, static_cast<int32_t>(arena_.slab(head.block)),
               headsUsed_, arena_.slabOffset(head.block) + head.offset, head.length);
  if (hasBody) {
    connection.body.begin(nextRecord(), connection.profile->options);
    connection.state = State::kBody;
  } else if (record.has(kFlagUpgrade) && connection.profile->holdUpgrades) {
    connection.state = State::kHolding;
  } else if (!connection.keepAlive) {
    connection.state = State::kDiscard;
  }
  headsUsed_ += recordWords(record.headerCount());
}

bool Server::answerStatically(Channel& channel, Connection& connection, const Piece& head,
                              const RecordView& record) {
  const Profile& profile = *connection.profile;
  if (profile.routes.empty() || connection.outstanding > 0) return false;
  const bool isHead = record.method() == Method::kHead;
  if (record.method() != Method::kGet && !isHead) return false;
  const uint32_t* words = nextRecord();
  const char* target = reinterpret_cast<const char*>(arena_.data(head.block)) + head.offset +
                       words[kRecordTargetOffset];
  const uint32_t query = words[kRecordQueryOffset];
  const uint32_t pathBytes =
      query == 0 ? words[kRecordTargetLength] : query - words[kRecordTargetOffset];
  const auto found = profile.routes.find(std::string(target, pathBytes));
  if (found == profile.routes.end()) return false;
  const StaticRoute& route = found->second;
  const auto before = static_cast<uint32_t>(route.beforeDate.size());
  const auto after = static_cast<uint32_t>(route.afterDate.size()) - (isHead ? route.bodyBytes : 0);
  const uint32_t total = before + kDateBytes + after;
  ReceiveBuffers::Room room;
  if (!responses_.room(&room) || total > room.bytes) return false;
  std::memcpy(room.at, route.beforeDate.data(), before);
  std::memcpy(room.at + before, date_.now(), kDateBytes);
  std::memcpy(room.at + before + kDateBytes, route.afterDate.data(), after);
  // Unlike received chunks these follow each other without a gap, so that the answers to pipelined
  // requests are one view.
  responses_.commitPacked(total);
  output_.queueBytes(channel, room.block, room.offset, total);
  ++staticResponses_;
  if (!connection.keepAlive) {
    connection.state = State::kDiscard;
    output_.endWhenSent(channel);
  }
  return true;
}

bool Server::parseBody(Channel& channel, Connection& connection, Piece* piece) {
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
      fail(channel, connection, step.error);
      return false;
  }
  return false;
}

bool Server::parseTrailers(Channel& channel, Connection& connection, Piece* piece) {
  const Limits& limits = connection.profile->options.limits;
  if (!roomForRecord(connection)) {
    if (!hold(connection, *piece)) fail(channel, connection, HttpError::kBodyTooLarge);
    stalled_.push_back(channel.token());
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
  events_.push(EventKind::kBodyEnd, channel);
  connection.state = connection.keepAlive ? State::kHead : State::kDiscard;
}

void Server::fail(Channel& channel, Connection& connection, HttpError error) {
  connection.state = State::kDiscard;
  connection.begun = false;
  releaseGather(connection);
  events_.push(EventKind::kHttpError, channel, static_cast<int32_t>(error));
}

bool Server::ended(const Channel& channel) const {
  const Connection& connection = of(channel);
  return connection.state == State::kBody || connection.state == State::kTrailers ||
         (connection.state == State::kHead && connection.begun && connection.parser.started());
}

void Server::takeRaw(Channel& channel) {
  Connection& connection = of(channel);
  connection.state = State::kRaw;
  stalled_.push_back(channel.token());
}

void Server::goOn(Channel& channel) {
  Connection& connection = of(channel);
  if (connection.state != State::kHolding) return;
  connection.state = connection.keepAlive ? State::kHead : State::kDiscard;
  stalled_.push_back(channel.token());
}

void Server::drainHeld(Channel& channel, Connection& connection) {
  std::vector<Piece> held;
  held.swap(connection.held);
  for (const Piece& piece : held) {
    // parse() holds the rest of a piece again when it has to stop; what follows must queue behind.
    if (connection.held.empty()) {
      parse(channel, piece);
    } else if (!hold(connection, piece)) {
      fail(channel, connection, HttpError::kBodyTooLarge);
    }
    retired_.push_back(piece.block);  // events that name it are still to be walked
  }
}

void Server::responded(Channel& channel) {
  Connection& connection = of(channel);
  if (connection.outstanding > 0) --connection.outstanding;
}

void Server::resumeStalled(uint64_t nowMs) {
  if (stalled_.empty()) return;
  std::vector<Token> stalled;
  stalled.swap(stalled_);
  for (Token token : stalled) {
    Channel* channel = output_.channelOf(token);
    if (channel == nullptr || channel->protocol == nullptr) continue;
    drainHeld(*channel, of(*channel));
    setPhase(*channel, of(*channel), nowMs);
  }
}

void Server::endTurn() {
  headsUsed_ = 0;
  responses_.endTurn();
  for (BlockId block : retired_) arena_.release(block);
  retired_.clear();
}

uint64_t Server::deadlineMs(const Connection& connection) const {
  const Profile& profile = *connection.profile;
  switch (connection.phase) {
    case Phase::kIdle:
      return connection.phaseStartMs + profile.keepAliveMs;
    case Phase::kHead:
      return connection.requestStartMs + profile.headersMs;
    case Phase::kBody:
      return connection.requestStartMs + profile.requestMs;
  }
  return 0;
}

void Server::setPhase(Channel& channel, Connection& connection, uint64_t nowMs) {
  Phase phase = Phase::kIdle;
  if (connection.state == State::kBody || connection.state == State::kTrailers) {
    phase = Phase::kBody;
  } else if (connection.begun && connection.parser.started()) {
    phase = Phase::kHead;
  }
  if (phase == Phase::kIdle || connection.phase == Phase::kIdle) connection.phaseStartMs = nowMs;
  connection.phase = phase;
  // A timer that fires too early is armed again; only one that would fire too late is moved.
  const uint64_t deadline = deadlineMs(connection);
  if (deadline >= connection.armedForMs) return;
  connection.armedForMs = deadline;
  output_.armTimer(channel, deadline > nowMs ? deadline - nowMs : 1);
}

void Server::timer(Channel& channel, uint64_t nowMs) {
  Connection& connection = of(channel);
  if (connection.state == State::kRaw) return;
  uint64_t deadline = deadlineMs(connection);
  if (nowMs >= deadline) {
    events_.push(EventKind::kHttpTimeout, channel, static_cast<int32_t>(connection.phase));
    connection.phaseStartMs = connection.requestStartMs = nowMs;
    deadline = deadlineMs(connection);
  }
  connection.armedForMs = deadline;
  output_.armTimer(channel, deadline > nowMs ? deadline - nowMs : 1);
}

}  // namespace ringpoll::http
