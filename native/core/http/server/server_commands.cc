// What JavaScript asks of an HTTP connection: responses, upgrades, the end.
#include <cerrno>

#include "core/base/assert.h"
#include "server.h"

namespace ringpoll::http {

void Server::command(Channel& channel, const int32_t* words, uint64_t nowMs) {
  switch (static_cast<CommandKind>(words[0])) {
    case CommandKind::kHttpRespond:
      respondCommand(channel, words, nowMs);
      break;
    case CommandKind::kHttpDone:
      responded(channel, nowMs);
      break;
    case CommandKind::kHttpRaw:
      transport_.cancelTimer(channel);
      takeRaw(channel);
      break;
    default:
      break;
  }
}

void Server::respondCommand(Channel& channel, const int32_t* words, uint64_t nowMs) {
  if (channel.flags & (kWriteEnding | kWriteEnded | kCloseWhenSent)) return;
  const auto flags = static_cast<uint32_t>(words[3]);
  const auto fieldBytes = static_cast<uint32_t>(words[5]);
  const auto bodyBytes = static_cast<uint32_t>(words[6]);
  RP_ASSERT(bodyBytes <= kHotBlockBytes && fieldBytes <= kHotBlockBytes - bodyBytes);
  const ReceivedBytes staged = transport_.staged(words[4], fieldBytes + bodyBytes);
  const char* const text = reinterpret_cast<const char*>(arena_.data(staged.block)) + staged.offset;
  ResponseCommand response;
  response.head = flags >> kHttpRespondTemplateShift;
  response.parts.fields = {text, fieldBytes};
  if (!(flags & kHttpRespondNoLength)) response.parts.contentLength = words[7];
  if (bodyBytes <= kCopiedBodyMax) {
    response.parts.body = {text + fieldBytes, bodyBytes};
  } else {
    response.bodyBlock = staged.block;
    response.bodyOffset = staged.offset + fieldBytes;
    response.bodyBytes = bodyBytes;
  }
  if (!respond(channel, response)) {
    transport_.giveUp(channel, ENOMEM);
    return;
  }
  if (flags & kHttpRespondLast) responded(channel, nowMs);
}

void Server::takeRaw(Channel& channel) {
  Connection& connection = of(channel);
  endReadingItself(channel);
  connection.state = State::kRaw;
  connection.outstanding = 0;
  if (!connection.held.empty()) goOnNextTurn(channel, connection);
}

bool Server::leave(Channel& channel, std::vector<ReceivedBytes>* held) {
  Connection& connection = of(channel);
  transport_.cancelTimer(channel);
  endReadingItself(channel);
  held->swap(connection.held);
  const bool ended = connection.endHeld;
  closed(channel);
  return ended;
}

bool Server::respond(Channel& channel, const ResponseCommand& response) {
  Connection& connection = of(channel);
  std::vector<HeadTemplate>& templates = connection.profile->templates;
  RP_ASSERT(response.head < templates.size());
  Responder::Bytes bytes;
  if (!responder_.compose(templates[response.head], response.parts, &bytes)) return false;
  transport_.queueBytes(channel, bytes.block, bytes.offset, bytes.length);
  if (response.bodyBytes > 0) {
    transport_.queueBytes(channel, response.bodyBlock, response.bodyOffset, response.bodyBytes);
  }
  return true;
}

void Server::responded(Channel& channel, uint64_t nowMs) {
  Connection& connection = of(channel);
  if (connection.outstanding > 0) --connection.outstanding;
  if (connection.outstanding == 0) {
    connection.idleSinceMs = nowMs;
    // The request that asked for an upgrade was the last one that was parsed.
    if (connection.state == State::kHolding) {
      connection.state = connection.keepAlive ? State::kHead : State::kDiscard;
      if (!connection.held.empty()) goOnNextTurn(channel, connection);
    }
    if (connection.profile->stopping) stop(channel, nowMs);
  }
  if (!connection.held.empty() && connection.state == State::kHead &&
      connection.outstanding <= kUnansweredMax / 2 && !connection.waitsForRoom) {
    goOnNextTurn(channel, connection);
  }
}

// What lies in the socket is read first: whether the connection is idle, its timer finds out, after
// the completions of a turn.
void Server::stop(Channel& channel, uint64_t nowMs) {
  Connection& connection = of(channel);
  if (!idle(connection)) return;
  nowMs_ = nowMs;
  arm(channel, connection, deadline(channel, connection));
}

uint32_t Server::expected(const Channel& channel) const {
  const Connection& connection = of(channel);
  const bool begun =
      !connection.held.empty() ||
      (connection.state == State::kHead && (connection.inHead() || transport_.unread(channel)));
  return connection.told + (begun ? 1 : 0);
}

}  // namespace ringpoll::http
