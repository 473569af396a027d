// Bodies that are received straight into memory of JavaScript's, by the routes of readiness.
//
//   the engine receives --bodyInto()--> its bytes are read here --last byte--> so is the next head
//           ^                                                                         |
//           +--- a request without such a body, another state, nobody who collects ---+
//
// A connection that has sent such a body may send another one. Until it sends something else, few
// bytes are read of what comes next: enough for a head, so that the body behind it is still in the
// socket when JavaScript has made the memory for it.
#include <algorithm>

#include "core/base/assert.h"
#include "server.h"

namespace ringpoll::http {

bool Server::bodyInto(Channel& channel, uint32_t request, std::unique_ptr<BodyMemory> memory) {
  Connection& connection = of(channel);
  // JavaScript may ask for the body of a request behind which others have come.
  if (connection.told != request || !connection.held.empty()) return false;
  const bool comes = connection.state == State::kBody && connection.body.left() > 0;
  const bool over = connection.state == State::kHead && !connection.begun;
  if (!(comes || over) || !transport_.tellReadable(channel, true) || over) return false;
  RP_ASSERT(connection.body.received() + connection.body.left() == memory->bytes);
  connection.into = std::move(memory);
  return true;
}

void Server::leaveBody(Channel& channel) { of(channel).into.reset(); }

void Server::readable(Channel& channel, uint64_t nowMs) {
  Connection& connection = of(channel);
  nowMs_ = nowMs;
  channel.engineFlags |= kReadable;  // until a read has come up short
  if (turnBytes_ >= kBodyTurnBytesMax) {
    goOnNextTurn(channel, connection);
    return;
  }
  const bool atHead = connection.state == State::kHead;
  const bool begins = connection.state == State::kBody && connection.body.received() == 0;
  const bool parses = connection.held.empty();
  if (parses && connection.into != nullptr) {
    readBody(channel, connection);
  } else if (parses && (atHead || begins)) {
    readBeginning(channel);
  } else {
    endReadingItself(channel);
  }
}

void Server::readBody(Channel& channel, Connection& connection) {
  const uint64_t at = connection.body.received();
  const uint64_t left = connection.body.left();
  RP_ASSERT(at + left == connection.into->bytes && left > 0);
  const auto most = static_cast<uint32_t>(std::min<uint64_t>(left, kReceiveMax));
  const uint32_t bytes = transport_.readInto(channel, connection.into->data + at, most);
  if (bytes == 0) return;  // nothing is left in the socket, or its end is told
  turnBytes_ += bytes;
  bodyBytesInto_ += bytes;
  connection.lastByteMs = nowMs_;
  connection.body.take(bytes);
  events_.push(EventKind::kBodyFilled, channel, static_cast<int32_t>(bytes));
  if (bytes == left) bodyDone(channel, connection);
  armEarlier(channel, connection);
}

void Server::readBeginning(Channel& channel) {
  ReceivedBytes bytes;
  if (!transport_.readSome(channel, kHeadReadBytes, &bytes)) {
    endReadingItself(channel);  // the engine waits for memory
    return;
  }
  if (bytes.length > 0) received(channel, bytes, nowMs_);
}

void Server::endReadingItself(Channel& channel) {
  of(channel).into.reset();
  if (channel.engineFlags & kTellsReadable) transport_.tellReadable(channel, false);
}

}  // namespace ringpoll::http
